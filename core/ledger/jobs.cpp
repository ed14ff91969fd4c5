#include "core/ledger/jobs.hpp"

#include "core/ledger/columns.hpp"
#include "core/wire/timestamp.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>
#include <pqxx/stream_to>
#include <pqxx/transaction>

namespace fanfare::ledger {
namespace {

std::string array_of(const auto& numbers) { return fmt::format("{{{}}}", fmt::join(numbers, ",")); }

template <class Number>
std::array<Number, channel_count> numbers_of(std::string_view literal) {
    std::array<Number, channel_count> numbers{};
    postgres::TextArray elements;
    postgres::parse_array(literal, elements);
    for (std::size_t i = 0; i < numbers.size() && i < elements.elements.size(); ++i) {
        numbers[i] = static_cast<Number>(std::stoll(std::string{elements.elements[i]}));
    }
    return numbers;
}

}  // namespace

bool insert_job(Connection& connection, const Job& job, std::string_view body,
                std::string_view list, bool writes_back) {
    pqxx::nontransaction work{connection.raw()};
    const auto expires =
        job.expires_at ? std::optional{format_timestamp(*job.expires_at)} : std::nullopt;
    const auto done = work.exec_params(
        "INSERT INTO job (id, idempotency_key, system, kind, body, lane, expires_at, list, "
        "subject, write_back_at) "
        "VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7::timestamptz, $8, $9, "
        " CASE WHEN $10 THEN app_now() END) "
        "ON CONFLICT DO NOTHING",
        job.id, job.idempotency_key, job.system, job.kind, std::string{body},
        static_cast<int>(job.lane), expires ? expires->c_str() : nullptr, std::string{list},
        job.subject, writes_back);
    return done.affected_rows() == 1;
}

std::optional<JobRow> load_job(Connection& connection, const std::string& id) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT body, state, own_templates, extract(epoch FROM created_at)::bigint "
        "FROM job WHERE id = $1::uuid",
        id);
    if (rows.empty()) return std::nullopt;
    const std::chrono::seconds created{rows[0][3].as<std::int64_t>()};
    return JobRow{rows[0][0].c_str(), rows[0][1].c_str(), number_or_none(rows[0][2]),
                  TimePoint{created}};
}

bool is_cancelled(Connection& connection, const std::string& id) {
    pqxx::nontransaction work{connection.raw()};
    return !work.exec_params("SELECT 1 FROM job WHERE id = $1::uuid AND state = 'cancelled'", id)
                .empty();
}

std::optional<PlanTask> claim_plan(Connection& connection, const std::string& id,
                                   std::chrono::milliseconds lease) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "UPDATE job SET plan_epoch = plan_epoch + 1, plan_attempts = plan_attempts + 1, "
        "plan_lease = app_now() + $2 * interval '1 ms', "
        "own_templates = CASE WHEN plan_cursor <> '' THEN own_templates ELSE "
        " (SELECT t.id FROM (SELECT id, parts IS NULL AS is_deleted FROM own_templates "
        "   WHERE owner = job.body ->> 'source' AND system = job.system AND kind = job.kind "
        "   ORDER BY version DESC LIMIT 1) t WHERE NOT t.is_deleted) END "
        "WHERE id = $1::uuid AND state = 'planning' "
        "AND (plan_lease IS NULL OR plan_lease < app_now()) "
        "RETURNING body, plan_epoch, plan_attempts, plan_cursor, plan_chunks, planned, "
        "own_templates",
        id, lease.count());
    if (rows.empty()) return std::nullopt;
    const auto row = rows[0];
    return PlanTask{.job = id,
                    .body = row[0].c_str(),
                    .epoch = row[1].as<std::int32_t>(),
                    .attempts = row[2].as<std::int32_t>(),
                    .cursor = row[3].c_str(),
                    .chunks = numbers_of<std::int32_t>(row[4].c_str()),
                    .planned = numbers_of<std::int64_t>(row[5].c_str()),
                    .own_templates = number_or_none(row[6])};
}

std::vector<std::string> unplanned_jobs(Connection& connection) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec(
        "SELECT id FROM job WHERE state = 'planning' AND created_at < app_now() - interval '1 s' "
        "AND (plan_lease IS NULL OR plan_lease < app_now()) ORDER BY lane, created_at LIMIT 16");
    std::vector<std::string> ids;
    for (const auto& row : rows) ids.emplace_back(row[0].c_str());
    return ids;
}

bool write_plan(Connection& connection, const PlanTask& task, Lane lane,
                std::span<const NewChunk> chunks, std::chrono::milliseconds lease,
                std::chrono::milliseconds republish_after) {
    pqxx::work work{connection.raw()};
    // Added to, never set: fallback chunks of what is sent already count as well.
    std::array<std::int64_t, channel_count> more{};
    for (const auto& chunk : chunks) more[static_cast<std::size_t>(chunk.channel)] += chunk.size;
    const auto fenced = work.exec_params(
        "UPDATE job SET plan_cursor = $3, plan_chunks = $4::int[], "
        "planned = ARRAY[planned[1] + ($5::bigint[])[1], planned[2] + ($5::bigint[])[2], "
        " planned[3] + ($5::bigint[])[3]], "
        "plan_lease = app_now() + $6 * interval '1 ms' "
        "WHERE id = $1::uuid AND plan_epoch = $2 AND state = 'planning' "
        "RETURNING app_now(), app_now() + $7 * interval '1 ms', day",
        task.job, task.epoch, task.cursor, array_of(task.chunks), array_of(more), lease.count(),
        republish_after.count());
    if (fenced.empty()) return false;
    const std::string now = fenced[0][0].c_str();
    const std::string publish_at = fenced[0][1].c_str();
    const std::string day = fenced[0][2].c_str();
    pqxx::stream_to stream{
        work, "chunk",
        std::vector<std::string>{"job_id", "channel", "number", "on_doubt", "lane", "size",
                                 "recipients", "next_at", "publish_at", "day"}};
    for (const auto& chunk : chunks) {
        stream << std::make_tuple(task.job, static_cast<int>(chunk.channel), chunk.number,
                                  static_cast<int>(chunk.on_doubt), static_cast<int>(lane),
                                  chunk.size, chunk.recipients, now, publish_at, day);
    }
    stream.complete();  // The destructor would swallow an error.
    work.commit();
    return true;
}

bool finish_plan(Connection& connection, const PlanTask& task) {
    pqxx::nontransaction work{connection.raw()};
    // An empty audience is done at once.
    const auto done = work.exec_params(
        "UPDATE job SET state = CASE WHEN $3 THEN 'sending' ELSE 'done' END::job_state, "
        "finished_at = CASE WHEN $3 THEN NULL ELSE app_now() END, "
        "planned_at = app_now(), plan_lease = NULL "
        "WHERE id = $1::uuid AND plan_epoch = $2 AND state = 'planning'",
        task.job, task.epoch, task.chunks != std::array<std::int32_t, channel_count>{});
    return done.affected_rows() == 1;
}

void fail_plan(Connection& connection, const PlanTask& task, const std::string& why, bool final,
               std::chrono::milliseconds wait) {
    pqxx::nontransaction work{connection.raw()};
    work.exec_params(
        "UPDATE job SET failure = $3, "
        "state = CASE WHEN $4 AND planned = '{0,0,0}' THEN 'failed' ELSE state END, "
        "plan_lease = app_now() + $5 * interval '1 ms' "
        "WHERE id = $1::uuid AND plan_epoch = $2 AND state = 'planning'",
        task.job, task.epoch, why, final, wait.count());
}

void postpone_plan(Connection& connection, const PlanTask& task, std::chrono::milliseconds wait) {
    pqxx::nontransaction work{connection.raw()};
    work.exec_params(
        "UPDATE job SET plan_attempts = plan_attempts - 1, "
        "plan_lease = app_now() + $3 * interval '1 ms' "
        "WHERE id = $1::uuid AND plan_epoch = $2 AND state = 'planning'",
        task.job, task.epoch, wait.count());
}

std::size_t stop_jobs(pqxx::transaction_base& work, const std::string& ids) {
    // Of what no worker has taken yet the place is taken: it comes later, and is cancelled.
    const auto never_taken = work.exec_params(
        "INSERT INTO job (id, idempotency_key, system, kind, subject, body, lane, expires_at, "
        " state, finished_at) "
        "SELECT job_id, job_id::text, system, kind, subject, jsonb_build_object('version', 1, "
        " 'id', job_id, 'idempotency_key', job_id, 'system', system, 'kind', kind, "
        " 'subject', subject, 'source', source), 0, expires_at, 'cancelled', app_now() "
        "FROM notification WHERE job_id = ANY($1::uuid[]) ON CONFLICT DO NOTHING",
        ids);
    const auto stopped = work.exec_params(
        "UPDATE job SET state = 'cancelled', finished_at = app_now() "
        "WHERE id = ANY($1::uuid[]) AND state IN ('planning', 'sending')",
        ids);
    // Untouched chunks are settled here; of the others a worker knows what may be said.
    work.exec_params(
        "UPDATE chunk SET state = 'done', updated_at = app_now(), "
        "outcomes = decode(repeat('0a', size), 'hex'), reasons = decode(repeat('0f', size), "
        "'hex'), "
        "tally = ('{0,0,0,0,0,0,0,0,0,0,' || size || ',0,0,0}')::integer[] "
        "WHERE job_id = ANY(ARRAY(SELECT id FROM job WHERE id = ANY($1::uuid[]) "
        " AND state = 'cancelled')) AND state = 'planned' AND outcomes IS NULL",
        ids);
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
    const auto literal = postgres::array_of(kinds);
    pqxx::work work{connection.raw()};
    work.exec_params(
        "UPDATE notification SET state = 'cancelled', lease_until = NULL, updated_at = app_now() "
        "WHERE system = $1 AND is_about(subject, $2) AND kind = ANY($3::text[]) "
        "AND state = 'scheduled' "
        "AND created_at <= (SELECT known_since(j) FROM job j WHERE id = $4::uuid)",
        job.system, job.subject, literal, job.id);
    // Jobs that may be under way: taken by a worker, or at the broker.
    const auto earlier = work.exec_params(
        "SELECT array_agg(id) FROM ("
        "SELECT j.id FROM job j WHERE j.system = $1 AND j.subject <> '' "
        " AND is_about(j.subject, $2) AND j.kind = ANY($3::text[]) AND j.id <> $4::uuid "
        " AND j.state IN ('planning', 'sending', 'cancelled') "
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

std::size_t finish_jobs(Connection& connection, std::span<const std::string> ids) {
    pqxx::nontransaction work{connection.raw()};
    const auto done = work.exec_params(
        "UPDATE job SET state = 'done', finished_at = app_now() "
        "WHERE state = 'sending' AND (id = ANY($1::uuid[]) OR cardinality($1::uuid[]) = 0) "
        "AND NOT EXISTS (SELECT 1 FROM chunk WHERE job_id = job.id AND state <> 'done')",
        postgres::array_of(ids));
    return done.affected_rows();
}

}  // namespace fanfare::ledger
