#include "core/ledger/api_jobs.hpp"

#include "core/ledger/columns.hpp"
#include "core/ledger/iso.hpp"
#include "core/ledger/job_lists.hpp"
#include "core/ledger/open_jobs.hpp"
#include "core/ledger/snapshot.hpp"

#include <pqxx/nontransaction>

#include <map>

namespace fanfare::ledger {
namespace {

#define FANFARE_JOB_COLUMNS \
    "id, system, kind, (ARRAY['urgent', 'normal', 'bulk'])[lane + 1], "                 \
    "coalesce(body ->> 'source', ''), state::text, " FANFARE_ISO_OR_NONE("created_at")  \
    ", " FANFARE_ISO_OR_NONE("planned_at") ", " FANFARE_ISO_OR_NONE("finished_at") ", " \
    FANFARE_ISO_OR_NONE("expires_at") ", coalesce(failure, ''), "                       \
    "plan_failed_at IS NOT NULL, left_out, "                                            \
    "(SELECT t.version FROM own_templates t WHERE t.id = job.own_templates), "          \
    FANFARE_SUBJECT_AND_TITLE ", coalesce(replay_of::text, ''), "                      \
    FANFARE_ISO_OR_NONE("dropped_at") " "

JobLine read_line(const pqxx::row& row) {
    return {.id = row[0].c_str(),
            .system = row[1].c_str(),
            .kind = row[2].c_str(),
            .subject = row[14].c_str(),
            .title = row[15].c_str(),
            .lane = row[3].c_str(),
            .source = row[4].c_str(),
            .state = row[5].c_str(),
            .created_at = row[6].c_str(),
            .planned_at = row[7].c_str(),
            .finished_at = row[8].c_str(),
            .expires_at = row[9].c_str(),
            .failure = row[10].c_str(),
            .incomplete = row[11].as<bool>(),
            .left_out = row[12].as<std::int64_t>(),
            .own_templates = number_or_none(row[13]),
            .replay_of = row[16].c_str(),
            .dropped_at = row[17].c_str()};
}

std::optional<KnownRequest> find_request(pqxx::transaction_base& work, const NewRequest& request,
                                         std::chrono::milliseconds lost_after) {
    const auto rows = work.exec_params(
        "SELECT r.digest = $3, r.published_at IS NOT NULL AND (r.taken_at IS NOT NULL "
        " OR r.published_at > app_now() - $4::float8 * interval '1 ms' OR j.id IS NOT NULL OR "
        "d.taken_as IS NOT NULL), "
        "r.job_id, coalesce(r.body::text, ''), "
        "CASE WHEN j.id IS NULL THEN coalesce(d.code, '') ELSE '' END, coalesce(d.message, ''), "
        "coalesce(r.trace, '') FROM api_request r LEFT JOIN job j ON j.id = r.job_id "
        "LEFT JOIN absent_job d ON d.job_id = r.job_id WHERE r.owner = $1 AND r.key = $2",
        request.owner, request.key, request.digest, lost_after.count());
    if (rows.empty()) return std::nullopt;
    return KnownRequest{.same = rows[0][0].as<bool>(),
                        .is_new = false,
                        .published = rows[0][1].as<bool>(),
                        .job = rows[0][2].c_str(),
                        .body = rows[0][3].c_str(),
                        .refusal_code = rows[0][4].c_str(),
                        .refusal = rows[0][5].c_str(),
                        .trace = rows[0][6].c_str()};
}

}  // namespace

KnownRequest remember_request(Connection& connection, const NewRequest& request,
                              std::chrono::milliseconds lost_after) {
    pqxx::nontransaction work{connection.raw()};
    const auto put = work.exec_params(
        "INSERT INTO api_request (owner, key, digest, job_id, body, trace) "
        "VALUES ($1, $2, $3, $4::uuid, nullif($5, '')::jsonb, nullif($6, '')) "
        "ON CONFLICT DO NOTHING",
        request.owner, request.key, request.digest, request.job, request.body, request.trace);
    auto known = find_request(work, request, lost_after).value();
    known.is_new = put.affected_rows() == 1;
    return known;
}

std::optional<KnownRequest> find_request(Connection& connection, const NewRequest& request,
                                         std::chrono::milliseconds lost_after) {
    pqxx::nontransaction work{connection.raw()};
    return find_request(work, request, lost_after);
}

void mark_request_published(Connection& connection, const std::string& owner,
                            const std::string& key) {
    pqxx::nontransaction work{connection.raw()};
    work.exec_params(
        "UPDATE api_request SET published_at = app_now() WHERE owner = $1 AND key = $2", owner,
        key);
}

std::optional<JobLine> find_job(Connection& connection, const std::string& id,
                                const AccessFilter& access) {
    pqxx::nontransaction work{connection.raw()};
    return find_job(work, id, access);
}

std::optional<JobLine> find_job(pqxx::transaction_base& work, const std::string& id,
                                const AccessFilter& access) {
    // One statement: between two of them a worker may take the job, and neither would see it.
    const auto rows = work.exec_params(
        "SELECT " FANFARE_JOB_COLUMNS
        "FROM job WHERE id = $1::uuid "
        "AND " FANFARE_AMONG("system", "2") " AND " FANFARE_AMONG("body ->> 'source'", "3") " "
        "UNION ALL (SELECT job_id, body ->> 'system', body ->> 'kind', body ->> 'lane', "
        "coalesce(body ->> 'source', ''), "
        "CASE WHEN coalesce(d.code, '') = '' THEN 'accepted' ELSE 'failed' END, "
        FANFARE_ISO_OR_NONE("created_at") ", '', "
        FANFARE_ISO_OR_NONE("CASE WHEN d.code <> '' THEN d.noted_at END") ", "
        "coalesce(body ->> 'expires_at', ''), "
        "coalesce(nullif(d.code, '') || ': ' || d.message, ''), false, 0, NULL, "
        "coalesce(body ->> 'subject', ''), coalesce(body -> 'data' ->> 'title', ''), '', '' "
        "FROM api_request r LEFT JOIN absent_job d USING (job_id) "
        "WHERE job_id = $1::uuid AND body IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM job WHERE id = r.job_id) "
        "AND " FANFARE_AMONG("body ->> 'system'", "2") " "
        "AND " FANFARE_AMONG("body ->> 'source'", "3") " LIMIT 1)",
        id, access.systems, access.sources);
    if (rows.empty()) return std::nullopt;
    return read_line(rows[0]);
}

std::set<std::string> jobs_in_sight(Connection& connection, std::span<const std::string> ids,
                                    const AccessFilter& access) {
    std::set<std::string> seen;
    if (ids.empty()) return seen;
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT id FROM job WHERE id = ANY($1::uuid[]) "
        "AND " FANFARE_AMONG("system", "2") " AND " FANFARE_AMONG("body ->> 'source'", "3") " "
        "UNION SELECT job_id FROM api_request r "
        "WHERE job_id = ANY($1::uuid[]) AND body IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM job WHERE id = r.job_id) "
        "AND " FANFARE_AMONG("body ->> 'system'", "2") " "
        "AND " FANFARE_AMONG("body ->> 'source'", "3"),
        postgres::to_array_literal(ids), access.systems, access.sources);
    for (const auto& row : rows) seen.emplace(row[0].c_str());
    return seen;
}

std::optional<JobDetail> find_job_detail(Connection& connection, const std::string& id,
                                         const AccessFilter& access) {
    Snapshot work{connection.raw()};
    auto line = find_job(work, id, access);
    if (!line) return std::nullopt;
    const auto row = work.exec_params1(
        "SELECT coalesce(body -> 'audience', '{}'), coalesce(body -> 'data', '{}') FROM ("
        " SELECT body FROM job WHERE id = $1::uuid UNION ALL "
        " SELECT body FROM api_request WHERE job_id = $1::uuid AND body IS NOT NULL) b LIMIT 1",
        id);
    return JobDetail{.line = std::move(*line),
                     .progress = load_progress(work, id),
                     .audience = row[0].c_str(),
                     .data = row[1].c_str()};
}

std::optional<PersonInJob> find_person_in_job(Connection& connection, const std::string& id,
                                              const std::string& recipient,
                                              const AccessFilter& access) {
    Snapshot work{connection.raw()};
    auto line = find_job(work, id, access);
    if (!line) return std::nullopt;
    return PersonInJob{std::move(*line), find_fate(work, id, recipient),
                       find_chain(work, id, recipient)};
}

std::vector<ListedJob> list_jobs(Connection& connection, const AccessFilter& access,
                                 const JobFilter& filter, int limit) {
    Snapshot work{connection.raw()};
    const auto rows = exec_listed(work, "SELECT " FANFARE_JOB_COLUMNS "FROM job ", access.systems,
                                  access.sources, filter, limit);
    std::vector<ListedJob> jobs;
    postgres::ArrayLiteral ids;
    std::map<std::string, ListedJob*, std::less<>> by_id;
    jobs.reserve(rows.size());
    for (const auto& row : rows) {
        auto& job = jobs.emplace_back(ListedJob{.line = read_line(row)});
        ids.add(job.line.id);
        by_id[job.line.id] = &job;
    }
    const auto counts = work.exec_params(
        "SELECT job_id, coalesce(sum(tally[13]), 0), coalesce(sum(tally[14]), 0), sum(size), "
        "sum(size - coalesce(tally[1] + tally[12], size)) FROM chunk "
        "WHERE job_id = ANY($1::uuid[]) GROUP BY job_id",
        ids.text());
    for (const auto& row : counts) {
        auto& job = *by_id.at(row[0].c_str());
        job.failed = row[1].as<std::int64_t>();
        job.unknown = row[2].as<std::int64_t>();
        job.planned = row[3].as<std::int64_t>();
        job.settled = row[4].as<std::int64_t>();
    }
    return jobs;
}

bool cancel_wherever(Connection& connection, const std::string& id,
                     const std::optional<PendingJob>& pending) {
    pqxx::nontransaction work{connection.raw()};
    return cancel_wherever(work, id, pending);
}

bool cancel_wherever(pqxx::transaction_base& work, const std::string& id,
                     const std::optional<PendingJob>& pending) {
    if (cancel_open(work, id)) return true;
    // Not taken yet: its place in the ledger is taken, so that a worker finds it cancelled.
    work.exec_params(
        "INSERT INTO job (id, idempotency_key, system, kind, body, lane, expires_at, state, "
        " finished_at) "
        "SELECT $1::uuid, b.body ->> 'idempotency_key', b.body ->> 'system', b.body ->> 'kind', "
        " b.body, array_position(ARRAY['urgent', 'normal', 'bulk'], b.body ->> 'lane') - 1, "
        " (b.body ->> 'expires_at')::timestamptz, 'cancelled', app_now() "
        "FROM (SELECT nullif($2, '')::jsonb AS body WHERE $2 <> '' UNION ALL "
        " SELECT body FROM api_request WHERE job_id = $1::uuid AND body IS NOT NULL LIMIT 1) b "
        "ON CONFLICT (id) DO UPDATE SET state = 'cancelled', finished_at = app_now() "
        " WHERE job.state IN ('planning', 'sending')",
        id, pending ? pending->body : std::string{});
    const auto rows =
        work.exec_params("SELECT state = 'cancelled' FROM job WHERE id = $1::uuid", id);
    return !rows.empty() && rows[0][0].as<bool>();
}

}  // namespace fanfare::ledger
