#include "core/ledger/plans.hpp"

#include "core/ledger/bytea.hpp"
#include "core/ledger/columns.hpp"
#include "core/ledger/person_filter.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include <algorithm>
#include <map>
#include <string_view>

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

namespace {

#define FANFARE_CLAIM_PLAN                                                                \
    "UPDATE job SET plan_epoch = plan_epoch + 1, plan_attempts = plan_attempts + 1, "     \
    "plan_unheard = plan_unheard + 1, plan_lease = app_now() + $2 * interval '1 ms', "    \
    "own_templates = CASE WHEN plan_cursor <> '' THEN own_templates ELSE "                \
    " (SELECT t.id FROM (SELECT id, parts IS NULL AS is_deleted FROM own_templates "      \
    "   WHERE owner = job.body ->> 'source' AND system = job.system AND kind = job.kind " \
    "   ORDER BY version DESC LIMIT 1) t WHERE NOT t.is_deleted) END "

}  // namespace

std::optional<PlanTask> claim_plan(Connection& connection, const std::string& id,
                                   std::chrono::milliseconds lease) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = connection.exec_prepared(
        work,
        FANFARE_CLAIM_PLAN "WHERE id = $1::uuid AND state = 'planning' AND " FANFARE_FREE_PLAN
                           " RETURNING " FANFARE_PLAN,
        id, lease.count());
    if (rows.empty()) return std::nullopt;
    return read_task(rows[0], id);
}

std::vector<PlanTask> claim_plans(Connection& connection, std::span<const std::string> ids,
                                  std::chrono::milliseconds lease) {
    pqxx::nontransaction work{connection.raw()};
    // Of many rows at once a lock is never waited for: whoever cancels several could wait for ours.
    // What is said of the state stands in a CASE: the index of what is open must not be chosen.
    const auto rows = connection.exec_prepared(
        work,
        FANFARE_CLAIM_PLAN
        "WHERE id = ANY(ARRAY(SELECT id FROM job WHERE id = ANY($1::uuid[]) "
        " AND CASE WHEN state = 'planning' THEN pg_column_size(body) <= 8192 AND " FANFARE_FREE_PLAN
        " ELSE false END FOR NO KEY UPDATE SKIP LOCKED)) "
        "RETURNING " FANFARE_PLAN ", id",
        postgres::to_array_literal(ids), lease.count());
    std::vector<PlanTask> tasks;
    tasks.reserve(rows.size());
    for (const auto& row : rows) tasks.push_back(read_task(row, row[row.size() - 1].c_str()));
    return tasks;
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
        "SELECT id, lane FROM (SELECT id, lane, created_at, "
        "  row_number() OVER (PARTITION BY system ORDER BY lane, created_at) AS place "
        " FROM job WHERE state = 'planning' AND created_at NOT BETWEEN "
        "  app_now() - interval '1 s' AND app_now() AND " FANFARE_FREE_PLAN
        ") AS free ORDER BY (place - 1) / $2::int, lane, created_at LIMIT $1",
        limit, std::max(1, limit / 4));
    std::vector<UnplannedJob> jobs;
    for (const auto& row : rows) {
        jobs.push_back({row[0].c_str(), static_cast<Lane>(row[1].as<int>())});
    }
    return jobs;
}

namespace {

/// When chunks are written, when they are published again, and the day of their job.
struct WrittenAt {
    std::string now, publish_at, day;
};

/// What is written of one job.
struct JobChunks {
    const std::string& job;
    Lane lane;
    std::span<const NewChunk> chunks;
    WrittenAt at;
};

/// With the filters by which somebody's history is found.
void copy_chunks(pqxx::work& work, std::span<const JobChunks> jobs) {
    auto rows = postgres::copy_into(work, "chunk",
                                    {"job_id", "channel", "number", "on_doubt", "lane", "size",
                                     "recipients", "next_at", "publish_at", "day"});
    for (const auto& [job, lane, chunks, at] : jobs) {
        for (const auto& chunk : chunks) {
            rows << std::make_tuple(job, static_cast<int>(chunk.channel), chunk.number,
                                    static_cast<int>(chunk.on_doubt), static_cast<int>(lane),
                                    chunk.size, chunk.recipients, at.now, at.publish_at, at.day);
        }
    }
    rows.complete();  // The destructor would swallow an error.
    auto filters =
        postgres::copy_into(work, "chunk_filter", {"job_id", "channel", "number", "filter"});
    postgres::TextArray people;
    for (const auto& [job, lane, chunks, at] : jobs) {
        for (const auto& chunk : chunks) {
            postgres::parse_array(chunk.recipients, people);
            filters << std::make_tuple(job, static_cast<int>(chunk.channel), chunk.number,
                                       encode_bytea(filter_of_people(people.elements)));
        }
    }
    filters.complete();
}

/// People by channel.
std::array<std::int64_t, channel_count> count_people(std::span<const NewChunk> chunks) {
    std::array<std::int64_t, channel_count> people{};
    for (const auto& chunk : chunks) people[static_cast<std::size_t>(chunk.channel)] += chunk.size;
    return people;
}

bool has_chunks(const PlanTask& task) {
    return task.chunks != std::array<std::int32_t, channel_count>{};
}

}  // namespace

bool write_plan(Connection& connection, const PlanTask& task, Lane lane,
                std::span<const NewChunk> chunks, std::chrono::milliseconds lease,
                std::chrono::milliseconds republish_after) {
    pqxx::work work{connection.raw()};
    // Added to, never set: fallback chunks of what is sent already count as well.
    const auto fenced = connection.exec_prepared(
        work,
        "UPDATE job SET plan_cursor = $3, plan_chunks = $4::int[], "
        "planned = ARRAY[planned[1] + ($5::bigint[])[1], planned[2] + ($5::bigint[])[2], "
        " planned[3] + ($5::bigint[])[3]], "
        "left_out = $8, plan_unheard = 0, plan_failures = 0, "
        "plan_lease = app_now() + $6 * interval '1 ms' "
        "WHERE id = $1::uuid AND plan_epoch = $2 AND state = 'planning' "
        "RETURNING app_now(), app_now() + $7 * interval '1 ms', day",
        task.job, task.epoch, task.cursor, number_array(task.chunks),
        number_array(count_people(chunks)), lease.count(), republish_after.count(), task.left_out);
    if (fenced.empty()) return false;
    const std::array written{
        JobChunks{task.job,
                  lane,
                  chunks,
                  {fenced[0][0].c_str(), fenced[0][1].c_str(), fenced[0][2].c_str()}}};
    copy_chunks(work, written);
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
        task.job, task.epoch, has_chunks(task), task.left_out);
    return done.affected_rows() == 1;
}

namespace {

/// Those of which we still are the planner; locked, in the order in which whoever cancels many
/// locks them.
std::vector<JobChunks> lock_ours(Connection& connection, pqxx::work& work,
                                 std::span<const WholePlan> plans,
                                 std::chrono::milliseconds republish_after) {
    std::map<std::string_view, const WholePlan*> by_job;
    postgres::ArrayLiteral ids;
    for (const auto& plan : plans) {
        by_job.emplace(plan.task.job, &plan);
        ids.add(plan.task.job);
    }
    const auto rows = connection.exec_prepared(
        work,
        "SELECT id, plan_epoch, app_now(), app_now() + $2 * interval '1 ms', day FROM job "
        "WHERE id = ANY($1::uuid[]) AND CASE WHEN state = 'planning' THEN true ELSE false END "
        "ORDER BY id FOR NO KEY UPDATE",
        ids.text(), republish_after.count());
    std::vector<JobChunks> ours;
    for (const auto& row : rows) {
        const auto& plan = *by_job.at(row[0].c_str());
        if (plan.task.epoch != row[1].as<std::int32_t>()) continue;
        ours.push_back({plan.task.job,
                        plan.lane,
                        plan.chunks,
                        {row[2].c_str(), row[3].c_str(), row[4].c_str()}});
    }
    return ours;
}

/// Parallel array literals, an element a plan.
struct PlanArrays {
    postgres::ArrayLiteral jobs, cursors, chunks, people, left_out;
    void add(const PlanTask& task, std::span<const NewChunk> written) {
        jobs.add(task.job);
        cursors.add(task.cursor);
        chunks.add(number_array(task.chunks));
        people.add(number_array(count_people(written)));
        left_out.add(task.left_out);
    }
};

}  // namespace

std::vector<std::string> write_whole_plans(Connection& connection, std::span<const WholePlan> plans,
                                           std::chrono::milliseconds republish_after) {
    pqxx::work work{connection.raw()};
    const auto ours = lock_ours(connection, work, plans, republish_after);
    std::vector<std::string> written;
    for (const auto& one : ours) written.push_back(one.job);
    if (ours.empty()) return written;
    PlanArrays arrays;
    for (const auto& plan : plans) {
        const auto is_ours = std::find(written.begin(), written.end(), plan.task.job);
        if (is_ours != written.end()) arrays.add(plan.task, plan.chunks);
    }
    connection.exec_prepared(
        work,
        "UPDATE job SET plan_cursor = p.cursor, plan_chunks = p.chunks::int[], "
        "planned = ARRAY[planned[1] + (p.people::bigint[])[1], "
        " planned[2] + (p.people::bigint[])[2], planned[3] + (p.people::bigint[])[3]], "
        "left_out = p.left_out, planned_at = app_now(), plan_lease = NULL, plan_unheard = 0, "
        "plan_failures = 0, failure = NULL, state = CASE WHEN p.chunks = '{0,0,0}' "
        " THEN 'done' ELSE 'sending' END::job_state, "
        "finished_at = CASE WHEN p.chunks = '{0,0,0}' THEN app_now() END "
        "FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[]) "
        " AS p(id, cursor, chunks, people, left_out) "
        "WHERE job.id = p.id AND job.id = ANY($1::uuid[])",
        arrays.jobs.text(), arrays.cursors.text(), arrays.chunks.text(), arrays.people.text(),
        arrays.left_out.text());
    copy_chunks(work, ours);
    work.commit();
    return written;
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

void unclaim_plan(Connection& connection, const PlanTask& task) {
    pqxx::nontransaction work{connection.raw()};
    connection.exec_prepared(
        work,
        "UPDATE job SET plan_attempts = plan_attempts - 1, plan_unheard = plan_unheard - 1, "
        "plan_lease = NULL WHERE id = $1::uuid AND plan_epoch = $2 AND state = 'planning'",
        task.job, task.epoch);
}

}  // namespace fanfare::ledger
