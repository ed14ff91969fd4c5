#include "core/ledger/jobs.hpp"

#include "core/ledger/columns.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

namespace fanfare::ledger {

std::map<std::string, JobRow> load_jobs(Connection& connection, std::span<const std::string> ids) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = connection.exec_prepared(
        work,
        "SELECT id, body, state, own_templates, extract(epoch FROM created_at)::bigint, "
        "coalesce(origin, id), coalesce(trace, '') FROM job WHERE id = ANY($1::uuid[])",
        postgres::to_array_literal(ids));
    std::map<std::string, JobRow> jobs;
    for (const auto& row : rows) {
        const std::chrono::seconds created{row[4].as<std::int64_t>()};
        jobs.emplace(row[0].c_str(), JobRow{row[1].c_str(), row[2].c_str(), number_or_none(row[3]),
                                            TimePoint{created}, row[5].c_str(), row[6].c_str()});
    }
    return jobs;
}

std::optional<JobRow> load_job(Connection& connection, const std::string& id) {
    auto found = load_jobs(connection, std::span{&id, 1});
    if (found.empty()) return std::nullopt;
    return std::move(found.begin()->second);
}

bool is_cancelled(Connection& connection, const std::string& id) {
    pqxx::nontransaction work{connection.raw()};
    return !work.exec_params("SELECT 1 FROM job WHERE id = $1::uuid AND state = 'cancelled'", id)
                .empty();
}

std::size_t stop_jobs(pqxx::transaction_base& work, const std::string& given) {
    // Of what no worker has taken yet the place is taken: it comes later, and is cancelled.
    const auto never_taken = work.exec_params(
        "INSERT INTO job (id, idempotency_key, system, kind, subject, body, lane, expires_at, "
        " state, finished_at) "
        "SELECT job_id, job_id::text, system, kind, subject, jsonb_build_object('version', 1, "
        " 'id', job_id, 'idempotency_key', job_id, 'system', system, 'kind', kind, "
        " 'subject', subject, 'source', source), 0, expires_at, 'cancelled', app_now() "
        "FROM notification WHERE job_id = ANY($1::uuid[]) ON CONFLICT DO NOTHING",
        given);
    // Whoever is just taking people of theirs over is waited for, and found.
    work.exec_params("SELECT FROM job WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE",
                     given);
    // And those that took people of theirs over.
    const auto all = work.exec_params(
        "SELECT array_agg(id) FROM (SELECT unnest($1::uuid[]) AS id UNION "
        "SELECT id FROM job WHERE origin = ANY($1::uuid[])) a",
        given)[0][0];
    const std::string ids = all.is_null() ? "{}" : all.c_str();
    const auto stopped = work.exec_params(
        "UPDATE job SET state = 'cancelled', finished_at = app_now() "
        "WHERE id = ANY($1::uuid[]) AND state IN ('planning', 'sending')",
        ids);
    // Of what is over nothing can be stopped, but nobody is to be told once more.
    work.exec_params(
        "UPDATE job SET called_off_at = app_now() WHERE id = ANY($1::uuid[]) "
        "AND state IN ('done', 'failed') AND called_off_at IS NULL",
        ids);
    // Untouched chunks are settled here, as many as there are; all others by the sweep, which knows
    // what may be said of whom and who holds a place under a cap.
    work.exec_params(
        "UPDATE chunk SET state = 'done', updated_at = app_now(), "
        "outcomes = decode(repeat('0a', size), 'hex'), reasons = decode(repeat('0f', size), "
        "'hex'), "
        "tally = ('{0,0,0,0,0,0,0,0,0,0,' || size || ',0,0,0}')::integer[] "
        "WHERE job_id = ANY(ARRAY(SELECT id FROM job WHERE id = ANY($1::uuid[]) "
        " AND state = 'cancelled')) AND state = 'planned' AND outcomes IS NULL "
        "AND NOT EXISTS (SELECT FROM counted_send s JOIN job j ON s.job_id = coalesce(j.origin, "
        "j.id) "
        " WHERE j.id = chunk.job_id)",
        ids);
    // For workers of the version before, whose sweep settles nothing.
    work.exec_params(
        "UPDATE chunk SET next_at = app_now(), publish_at = app_now() "
        "WHERE job_id = ANY(ARRAY(SELECT id FROM job WHERE id = ANY($1::uuid[]) "
        " AND state = 'cancelled')) AND state = 'planned' AND next_at > app_now()",
        ids);
    return never_taken.affected_rows() + stopped.affected_rows();
}

std::int64_t cancel_earlier(Connection& connection, const Job& job,
                            std::span<const std::string> kinds) {
    if (job.subject.empty() || kinds.empty()) return 0;
    const auto literal = postgres::to_array_literal(kinds);
    pqxx::work work{connection.raw()};
    work.exec_params(
        "UPDATE notification SET state = 'cancelled', lease_until = NULL, updated_at = app_now() "
        "WHERE system = $1 AND is_about(subject, $2) AND kind = ANY($3::text[]) "
        "AND state = 'scheduled' "
        "AND created_at <= (SELECT known_since(j) FROM job j WHERE id = $4::uuid)",
        job.system, job.subject, literal, job.id);
    // Jobs that may be under way: taken by a worker, or at the broker; and what is over, whose
    // people could be told again.
    const auto earlier = work.exec_params(
        "SELECT array_agg(id) FROM ("
        "SELECT j.id FROM job j WHERE j.system = $1 AND j.subject <> '' "
        " AND is_about(j.subject, $2) AND j.kind = ANY($3::text[]) AND j.id <> $4::uuid "
        " AND (j.state IN ('planning', 'sending', 'cancelled') OR j.called_off_at IS NULL) "
        " AND known_since(j) <= (SELECT known_since(mine) FROM job mine WHERE id = $4::uuid) "
        "UNION "
        "SELECT n.job_id FROM notification n WHERE n.system = $1 AND is_about(n.subject, $2) "
        " AND n.kind = ANY($3::text[]) AND n.state IN ('publishing', 'published') "
        " AND coalesce(n.expires_at, 'infinity') > app_now() "
        " AND n.created_at <= (SELECT known_since(mine) FROM job mine WHERE id = $4::uuid) "
        " AND NOT EXISTS (SELECT FROM job WHERE id = n.job_id)) found",
        job.system, job.subject, literal, job.id);
    if (earlier[0][0].is_null()) {
        work.commit();
        return 0;
    }
    const std::string ids = earlier[0][0].c_str();
    stop_jobs(work, ids);
    const auto held = work.exec_params(
        "SELECT count(*) FROM chunk WHERE state = 'claimed' AND job_id = ANY($1::uuid[])", ids);
    work.commit();
    return held[0][0].as<std::int64_t>();
}

namespace {

/// Jobs are looked at by the primary key, or by the index of those that are not over. What is said
/// about the state stands in a CASE where that index must not be chosen: it grows with what is
/// open.
#define FANFARE_FINISH(closing, settling)                                                 \
    "WITH closed AS (UPDATE job SET finished_at = app_now(), "                            \
    " state = CASE WHEN plan_failed_at IS NULL THEN 'done' ELSE 'failed' END::job_state " \
    " WHERE " closing " RETURNING " FANFARE_ENDED                                         \
    "), cancelled AS (UPDATE job SET "                                                    \
    " settled_at = app_now() WHERE " settling " RETURNING " FANFARE_ENDED                 \
    ") SELECT e.id, e.system, e.kind, e.state, "                                          \
    "extract(epoch FROM app_now() - e.created_at)::float8, ARRAY("                        \
    " SELECT sum(n) FROM chunk c CROSS JOIN LATERAL "                                     \
    " unnest(coalesce(c.tally, ARRAY[c.size])) WITH ORDINALITY AS u(n, place) "           \
    " WHERE c.job_id = e.id GROUP BY u.place ORDER BY u.place), coalesce(e.trace, '') "   \
    "FROM (SELECT * FROM closed UNION ALL SELECT * FROM cancelled) e"
#define FANFARE_ENDED "id, system, kind, state, created_at, trace"
// Not NOT EXISTS: that may be answered by a list of all that is open.
#define FANFARE_SETTLED \
    "(SELECT true FROM chunk WHERE job_id = job.id AND state <> 'done' LIMIT 1) IS NULL"
#define FANFARE_NAMED(state) \
    "id = ANY($1::uuid[]) AND CASE WHEN " state " THEN " FANFARE_SETTLED " ELSE false END"
#define FANFARE_SENDING "state = 'sending'"
#define FANFARE_STOPPED "state = 'cancelled' AND settled_at IS NULL"

}  // namespace

std::vector<EndedJob> finish_jobs(Connection& connection, std::span<const std::string> ids) {
    pqxx::nontransaction work{connection.raw()};
    static const std::string named =
        FANFARE_FINISH(FANFARE_NAMED(FANFARE_SENDING), FANFARE_NAMED(FANFARE_STOPPED));
    static const std::string all = FANFARE_FINISH(FANFARE_SENDING " AND " FANFARE_SETTLED,
                                                  FANFARE_STOPPED " AND " FANFARE_SETTLED);
    const auto rows = ids.empty()
                          ? connection.exec_prepared(work, all)
                          : connection.exec_prepared(work, named, postgres::to_array_literal(ids));
    std::vector<EndedJob> ended;
    for (const auto& row : rows) {
        auto& job = ended.emplace_back(EndedJob{.id = row[0].c_str(),
                                                .system = row[1].c_str(),
                                                .kind = row[2].c_str(),
                                                .state = row[3].c_str(),
                                                .seconds = row[4].as<double>(),
                                                .outcomes = {},
                                                .trace = row[6].c_str()});
        postgres::TextArray sums;
        postgres::parse_array(row[5].c_str(), sums);
        for (std::size_t i = 0; i < outcome_count && i < sums.elements.size(); ++i) {
            job.outcomes[i] = std::stoll(std::string{sums.elements[i]});
        }
    }
    return ended;
}

std::string describe(const std::array<std::int64_t, outcome_count>& outcomes) {
    std::string text;
    for (std::size_t i = 0; i < outcome_count; ++i) {
        if (outcomes[i] == 0) continue;
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", outcomes[i],
                            to_string(static_cast<Outcome>(i)));
    }
    return text.empty() ? "nobody" : text;
}

}  // namespace fanfare::ledger
