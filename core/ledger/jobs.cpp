#include "core/ledger/jobs.hpp"

#include "core/ledger/bytea.hpp"
#include "core/ledger/columns.hpp"
#include "core/ledger/person_filter.hpp"
#include "core/wire/timestamp.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

namespace fanfare::ledger {
namespace {

std::string number_array(const auto& numbers) {
    return fmt::format("{{{}}}", fmt::join(numbers, ","));
}

template <class Number>
std::array<Number, channel_count> parse_numbers(std::string_view literal) {
    std::array<Number, channel_count> numbers{};
    postgres::TextArray elements;
    postgres::parse_array(literal, elements);
    for (std::size_t i = 0; i < numbers.size() && i < elements.elements.size(); ++i) {
        numbers[i] = static_cast<Number>(std::stoll(std::string{elements.elements[i]}));
    }
    return numbers;
}

}  // namespace

std::optional<JobRow> load_job(Connection& connection, const std::string& id) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = connection.exec_prepared(
        work,
        "SELECT body, state, own_templates, extract(epoch FROM created_at)::bigint, "
        "coalesce(origin, id), coalesce(trace, '') FROM job WHERE id = $1::uuid",
        id);
    if (rows.empty()) return std::nullopt;
    const std::chrono::seconds created{rows[0][3].as<std::int64_t>()};
    return JobRow{rows[0][0].c_str(), rows[0][1].c_str(), number_or_none(rows[0][2]),
                  TimePoint{created}, rows[0][4].c_str(), rows[0][5].c_str()};
}

bool is_cancelled(Connection& connection, const std::string& id) {
    pqxx::nontransaction work{connection.raw()};
    return !work.exec_params("SELECT 1 FROM job WHERE id = $1::uuid AND state = 'cancelled'", id)
                .empty();
}

namespace {

// The columns of read_task().
#define FANFARE_PLAN                                                                               \
    "body, plan_epoch, plan_unheard, plan_failures, plan_cursor, plan_chunks, planned, left_out, " \
    "own_templates, coalesce(trace, '')"

// Nobody's, or of a clock that was wrong: no lease and no wait of a plan is that long.
#define FANFARE_FREE_PLAN \
    "(plan_lease IS NULL OR plan_lease < app_now() OR plan_lease > app_now() + interval '15 min')"

PlanTask read_task(const pqxx::row& row, const std::string& id) {
    return PlanTask{.job = id,
                    .body = row[0].c_str(),
                    .epoch = row[1].as<std::int32_t>(),
                    .unheard = row[2].as<std::int32_t>(),
                    .failures = row[3].as<std::int32_t>(),
                    .cursor = row[4].c_str(),
                    .chunks = parse_numbers<std::int32_t>(row[5].c_str()),
                    .planned = parse_numbers<std::int64_t>(row[6].c_str()),
                    .left_out = row[7].as<std::int64_t>(),
                    .own_templates = number_or_none(row[8]),
                    .trace = row[9].c_str()};
}

}  // namespace

std::optional<PlanTask> claim_plan(Connection& connection, const std::string& id,
                                   std::chrono::milliseconds lease) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = connection.exec_prepared(
        work,
        "UPDATE job SET plan_epoch = plan_epoch + 1, plan_attempts = plan_attempts + 1, "
        "plan_unheard = plan_unheard + 1, plan_lease = app_now() + $2 * interval '1 ms', "
        "own_templates = CASE WHEN plan_cursor <> '' THEN own_templates ELSE "
        " (SELECT t.id FROM (SELECT id, parts IS NULL AS is_deleted FROM own_templates "
        "   WHERE owner = job.body ->> 'source' AND system = job.system AND kind = job.kind "
        "   ORDER BY version DESC LIMIT 1) t WHERE NOT t.is_deleted) END "
        "WHERE id = $1::uuid AND state = 'planning' AND " FANFARE_FREE_PLAN
        " RETURNING " FANFARE_PLAN,
        id, lease.count());
    if (rows.empty()) return std::nullopt;
    return read_task(rows[0], id);
}

bool keep_plan(Connection& connection, const std::string& job, std::int32_t epoch,
               std::chrono::milliseconds lease) {
    pqxx::nontransaction work{connection.raw()};
    const auto kept = work.exec_params(
        "UPDATE job SET plan_lease = app_now() + $3 * interval '1 ms' "
        "WHERE id = $1::uuid AND plan_epoch = $2 AND state = 'planning'",
        job, epoch, lease.count());
    return kept.affected_rows() == 1;
}

std::optional<PlanTask> look_again(Connection& connection, const PlanTask& task,
                                   std::chrono::milliseconds lease) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = connection.exec_prepared(
        work,
        "UPDATE job SET plan_lease = app_now() + $3 * interval '1 ms' "
        "WHERE id = $1::uuid AND plan_epoch = $2 AND state = 'planning' RETURNING " FANFARE_PLAN,
        task.job, task.epoch, lease.count());
    if (rows.empty()) return std::nullopt;
    return read_task(rows[0], task.job);
}

std::vector<UnplannedJob> unplanned_jobs(Connection& connection, int limit) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = connection.exec_prepared(
        work,
        "SELECT id, lane FROM job WHERE state = 'planning' "
        "AND created_at NOT BETWEEN app_now() - interval '1 s' AND app_now() AND " FANFARE_FREE_PLAN
        " ORDER BY lane, created_at LIMIT $1",
        limit);
    std::vector<UnplannedJob> jobs;
    for (const auto& row : rows) {
        jobs.push_back({row[0].c_str(), static_cast<Lane>(row[1].as<int>())});
    }
    return jobs;
}

namespace {

/// By which somebody's history is found.
void write_filters(pqxx::work& work, const std::string& job, std::span<const NewChunk> chunks) {
    auto stream =
        postgres::copy_into(work, "chunk_filter", {"job_id", "channel", "number", "filter"});
    postgres::TextArray people;
    for (const auto& chunk : chunks) {
        postgres::parse_array(chunk.recipients, people);
        stream << std::make_tuple(job, static_cast<int>(chunk.channel), chunk.number,
                                  encode_bytea(filter_of_people(people.elements)));
    }
    stream.complete();
}

}  // namespace

bool write_plan(Connection& connection, const PlanTask& task, Lane lane,
                std::span<const NewChunk> chunks, std::chrono::milliseconds lease,
                std::chrono::milliseconds republish_after) {
    pqxx::work work{connection.raw()};
    // Added to, never set: fallback chunks of what is sent already count as well.
    std::array<std::int64_t, channel_count> more{};
    for (const auto& chunk : chunks) more[static_cast<std::size_t>(chunk.channel)] += chunk.size;
    const auto fenced = connection.exec_prepared(
        work,
        "UPDATE job SET plan_cursor = $3, plan_chunks = $4::int[], "
        "planned = ARRAY[planned[1] + ($5::bigint[])[1], planned[2] + ($5::bigint[])[2], "
        " planned[3] + ($5::bigint[])[3]], "
        "left_out = $8, plan_unheard = 0, plan_failures = 0, "
        "plan_lease = app_now() + $6 * interval '1 ms' "
        "WHERE id = $1::uuid AND plan_epoch = $2 AND state = 'planning' "
        "RETURNING app_now(), app_now() + $7 * interval '1 ms', day",
        task.job, task.epoch, task.cursor, number_array(task.chunks), number_array(more),
        lease.count(), republish_after.count(), task.left_out);
    if (fenced.empty()) return false;
    const std::string now = fenced[0][0].c_str();
    const std::string publish_at = fenced[0][1].c_str();
    const std::string day = fenced[0][2].c_str();
    auto stream = postgres::copy_into(work, "chunk",
                                      {"job_id", "channel", "number", "on_doubt", "lane", "size",
                                       "recipients", "next_at", "publish_at", "day"});
    for (const auto& chunk : chunks) {
        stream << std::make_tuple(task.job, static_cast<int>(chunk.channel), chunk.number,
                                  static_cast<int>(chunk.on_doubt), static_cast<int>(lane),
                                  chunk.size, chunk.recipients, now, publish_at, day);
    }
    stream.complete();  // The destructor would swallow an error.
    write_filters(work, task.job, chunks);
    work.commit();
    return true;
}

bool finish_plan(Connection& connection, const PlanTask& task) {
    pqxx::nontransaction work{connection.raw()};
    // An empty audience is done at once.
    const auto done = connection.exec_prepared(
        work,
        "UPDATE job SET state = CASE WHEN $3 THEN 'sending' ELSE 'done' END::job_state, "
        "finished_at = CASE WHEN $3 THEN NULL ELSE app_now() END, failure = NULL, "
        "planned_at = app_now(), left_out = $4, plan_lease = NULL, plan_unheard = 0, "
        "plan_failures = 0 "
        "WHERE id = $1::uuid AND plan_epoch = $2 AND state = 'planning'",
        task.job, task.epoch, task.chunks != std::array<std::int32_t, channel_count>{},
        task.left_out);
    return done.affected_rows() == 1;
}

namespace {

// Planning ends without its audience: with nothing written there is nothing to wait for.
#define FANFARE_GIVEN_UP                                                                      \
    "state = CASE WHEN plan_chunks = '{0,0,0}' THEN 'failed' ELSE 'sending' END::job_state, " \
    "finished_at = CASE WHEN plan_chunks = '{0,0,0}' THEN app_now() END, "                    \
    "plan_failed_at = app_now(), plan_lease = NULL, plan_unheard = 0 "

}  // namespace

bool fail_plan(Connection& connection, const PlanTask& task, const PlanFailure& failure) {
    pqxx::nontransaction work{connection.raw()};
    if (!failure.final) {
        const auto noted = work.exec_params(
            "UPDATE job SET failure = $3, plan_unheard = 0, "
            "plan_failures = least(plan_failures + $4, 1000), "
            "plan_lease = app_now() + $5 * interval '1 ms' "
            "WHERE id = $1::uuid AND plan_epoch = $2 AND state = 'planning' "
            "AND coalesce(expires_at > app_now(), true)",
            task.job, task.epoch, failure.why, failure.counts ? 1 : 0, failure.wait.count());
        if (noted.affected_rows() == 1) return false;
    }
    const auto ended = work.exec_params(
        "UPDATE job SET " FANFARE_GIVEN_UP
        ", plan_failures = plan_failures + 1, "
        "failure = $3 || CASE WHEN $4 THEN '' ELSE '; the job has expired meanwhile' END "
        "WHERE id = $1::uuid AND plan_epoch = $2 AND state = 'planning' "
        "AND ($4 OR expires_at <= app_now())",
        task.job, task.epoch, failure.why, failure.final);
    return ended.affected_rows() == 1;
}

std::size_t end_expired_plans(Connection& connection) {
    pqxx::nontransaction work{connection.raw()};
    return connection
        .exec_prepared(
            work, "UPDATE job SET " FANFARE_GIVEN_UP
                  ", failure = failure || '; the job has expired meanwhile' "
                  "WHERE state = 'planning' AND expires_at <= app_now() AND failure IS NOT NULL "
                  "AND plan_unheard = 0")
        .affected_rows();
}

void postpone_plan(Connection& connection, const PlanTask& task, std::chrono::milliseconds wait) {
    pqxx::nontransaction work{connection.raw()};
    work.exec_params(
        "UPDATE job SET plan_attempts = plan_attempts - 1, plan_unheard = 0, "
        "plan_lease = app_now() + $3 * interval '1 ms' "
        "WHERE id = $1::uuid AND plan_epoch = $2 AND state = 'planning'",
        task.job, task.epoch, wait.count());
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

#define FANFARE_SETTLED                                                         \
    "(id = ANY($1::uuid[]) OR cardinality($1::uuid[]) = 0) AND NOT EXISTS ("    \
    "SELECT 1 FROM chunk WHERE job_id = job.id AND state <> 'done') RETURNING " \
    "id, system, kind, state, created_at, trace"

}  // namespace

std::vector<EndedJob> finish_jobs(Connection& connection, std::span<const std::string> ids) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = connection.exec_prepared(
        work,
        "WITH closed AS (UPDATE job SET finished_at = app_now(), "
        " state = CASE WHEN plan_failed_at IS NULL THEN 'done' ELSE 'failed' END::job_state "
        " WHERE state = 'sending' AND " FANFARE_SETTLED
        "), cancelled AS (UPDATE job SET settled_at = app_now() "
        " WHERE state = 'cancelled' AND settled_at IS NULL AND " FANFARE_SETTLED
        ") SELECT e.id, e.system, e.kind, e.state, "
        "extract(epoch FROM app_now() - e.created_at)::float8, ARRAY("
        " SELECT sum(n) FROM chunk c CROSS JOIN LATERAL "
        " unnest(coalesce(c.tally, ARRAY[c.size])) WITH ORDINALITY AS u(n, place) "
        " WHERE c.job_id = e.id GROUP BY u.place ORDER BY u.place), coalesce(e.trace, '') "
        "FROM (SELECT * FROM closed UNION ALL SELECT * FROM cancelled) e",
        postgres::to_array_literal(ids));
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
