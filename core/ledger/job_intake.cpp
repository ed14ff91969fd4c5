#include "core/ledger/jobs.hpp"

#include "core/wire/timestamp.hpp"

#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include <set>
#include <stdexcept>
#include <string_view>

namespace fanfare::ledger {
namespace {

using How = TakenJob::How;
constexpr int looks_max = 3;  // At a job that is in the way and gone the next moment.

/// The same job under a key of its source's own.
NewJob of_its_source(NewJob job) {
    job.job.idempotency_key = key_of_source("of", job.job.source, job.job.idempotency_key);
    job.job.id = derived_id(job.job.idempotency_key);
    return job;
}

// What of a job comes from its order; the columns and their values.
#define FANFARE_ORDER_COLUMNS                                                    \
    "id, idempotency_key, system, kind, body, lane, expires_at, list, subject, " \
    "write_back_at, order_digest, taken_from, trace"
#define FANFARE_ORDER_VALUES                                                   \
    "$1::uuid, $2, $3, $4, $5::jsonb, $6::smallint, $7::timestamptz, $8, $9, " \
    "CASE WHEN $10 THEN app_now() END, nullif($11, ''), nullif($12, ''), nullif($13, '')"

/// One statement with an order's parameters; the last is the id it would have of its source.
pqxx::result with_order(Connection& connection, pqxx::transaction_base& work,
                        const std::string& sql, const NewJob& order) {
    const auto& job = order.job;
    const auto expires =
        job.expires_at ? std::optional{format_timestamp(*job.expires_at)} : std::nullopt;
    return connection.exec_prepared(
        work, sql, job.id, job.idempotency_key, job.system, job.kind, encode_job(job),
        static_cast<int>(job.lane), expires ? expires->c_str() : nullptr, order.list, job.subject,
        order.writes_back, order.digest, order.origin, order.trace, of_its_source(order).job.id);
}

/// False where there is one in the way: under its id, its key, or its source's own.
bool insert(Connection& connection, pqxx::transaction_base& work, const NewJob& order) {
    return with_order(connection, work,
                      "INSERT INTO job (" FANFARE_ORDER_COLUMNS ") SELECT " FANFARE_ORDER_VALUES
                      " WHERE NOT EXISTS (SELECT FROM job WHERE id = $14::uuid) "
                      "ON CONFLICT DO NOTHING",
                      order)
               .affected_rows() == 1;
}

/// A job that stands in another's way.
struct Known {
    std::string id;
    std::string source;
    bool same_order = false;  // As far as anybody knows.
    bool is_free = false;     // It failed and told nobody, and this is not its own record again.
};

std::optional<Known> known(pqxx::transaction_base& work, const NewJob& order) {
    // What a due query found is the same occurrence, whatever its row says by now.
    const auto rows = work.exec_params(
        "SELECT id, coalesce(body ->> 'source', ''), "
        " order_digest IS NULL OR $3 = '' OR order_digest = $3 "
        "  OR (id = $1::uuid AND EXISTS (SELECT FROM notification n WHERE n.job_id = job.id)), "
        " state = 'failed' AND told_nobody(job) AND taken_from IS DISTINCT FROM nullif($4, '') "
        "FROM job WHERE id = $1::uuid OR idempotency_key = $2 "
        "ORDER BY id = $1::uuid DESC LIMIT 1 FOR UPDATE",
        order.job.id, order.job.idempotency_key, order.digest, order.origin);
    if (rows.empty()) return std::nullopt;
    return Known{rows[0][0].c_str(), rows[0][1].c_str(), rows[0][2].as<bool>(),
                 rows[0][3].as<bool>()};
}

/// Puts the order into the place of a job that failed. Its epochs go on, so that no planner or
/// worker of before can write into it.
void replace(Connection& connection, pqxx::transaction_base& work, const NewJob& order) {
    for (const auto* const table :
         {"chunk", "chunk_filter", "address_owner", "counted_send", "early_receipt"}) {
        work.exec_params(std::string{"DELETE FROM "} + table + " WHERE job_id = $1::uuid",
                         order.job.id);
    }
    with_order(connection, work,
               "UPDATE job SET (" FANFARE_ORDER_COLUMNS ") = (" FANFARE_ORDER_VALUES
               "), state = 'planning', plan_epoch = plan_epoch + 1, plan_lease = NULL, "
               "plan_attempts = 0, plan_unheard = 0, plan_failures = 0, plan_cursor = '', "
               "plan_chunks = DEFAULT, planned = DEFAULT, left_out = 0, own_templates = NULL, "
               "failure = NULL, plan_failed_at = NULL, planned_at = NULL, finished_at = NULL, "
               "created_at = app_now(), day = DEFAULT, dropped_at = NULL, "
               "called_off_at = NULL "
               "WHERE id = $1::uuid AND $14::uuid IS NOT NULL",  // Every parameter has a place.
               order);
}

/// A key that is free goes to a job of another id; the failed one keeps its place under its own.
void release_key(pqxx::transaction_base& work, const std::string& id) {
    work.exec_params(
        "UPDATE job SET idempotency_key = 'failed ' || id || ' ' || idempotency_key "
        "WHERE id = $1::uuid",
        id);
}

/// Nothing: look again, the one in the way went meanwhile.
std::optional<TakenJob> judge(Connection& connection, const NewJob& order) {
    pqxx::work work{connection.raw()};
    const auto found = known(work, order);
    if (!found) return std::nullopt;
    if (found->is_free) {
        if (found->id == order.job.id) {
            replace(connection, work, order);
        } else {
            release_key(work, found->id);
            if (!insert(connection, work, order)) return std::nullopt;
        }
        work.commit();
        return TakenJob{How::added, order.job.id};
    }
    if (found->same_order) return TakenJob{How::repeated, found->id};
    // An id that somebody chose can stand for one job only.
    const bool is_derived = order.job.id == derived_id(order.job.idempotency_key);
    if (!is_derived || found->source == order.job.source) return TakenJob{How::key_reused, ""};
    work.commit();
    return take_job(connection, of_its_source(order));
}

bool exists(Connection& connection, const std::string& id) {
    pqxx::nontransaction work{connection.raw()};
    return !work.exec_params("SELECT FROM job WHERE id = $1::uuid", id).empty();
}

}  // namespace

bool is_taken(Connection& connection, const NewJob& order) {
    pqxx::nontransaction work{connection.raw()};
    return !work.exec_params(
                    "SELECT FROM job WHERE (id IN ($1::uuid, $2::uuid) OR idempotency_key = $3) "
                    "AND state <> 'failed' AND (order_digest IS NULL OR $4 = '' OR order_digest = "
                    "$4)",
                    order.job.id, of_its_source(order).job.id, order.job.idempotency_key,
                    order.digest)
                .empty();
}

TakenJob take_job(Connection& connection, const NewJob& order) {
    for (int looks = 0; looks < looks_max; ++looks) {
        {
            pqxx::nontransaction work{connection.raw()};
            if (insert(connection, work, order)) return {How::added, order.job.id};
        }
        // Once under its source's own key it stays there, also when the plain one is free.
        const auto own = of_its_source(order);
        if (exists(connection, own.job.id)) return take_job(connection, own);
        if (auto taken = judge(connection, order)) return *taken;
    }
    throw std::runtime_error{"a job in the way of another comes and goes"};
}

namespace {

/// The columns of orders as parallel array literals, for unnest().
struct OrderArrays {
    postgres::ArrayLiteral ids, keys, systems, kinds, bodies, lanes, expiries, lists, subjects,
        writes_back, digests, origins, traces, own_ids;
    void add(const NewJob& order) {
        const auto& job = order.job;
        ids.add(job.id);
        keys.add(job.idempotency_key);
        systems.add(job.system);
        kinds.add(job.kind);
        bodies.add(encode_job(job));
        lanes.add(static_cast<std::int64_t>(job.lane));
        expiries.add(job.expires_at ? format_timestamp(*job.expires_at) : std::string{});
        lists.add(order.list);
        subjects.add(job.subject);
        writes_back.add(order.writes_back ? "t" : "f");
        digests.add(order.digest);
        origins.add(order.origin);
        traces.add(order.trace);
        own_ids.add(of_its_source(order).job.id);
    }
};

/// The ids of those that nothing stands in the way of.
std::set<std::string> insert_free(Connection& connection, const OrderArrays& orders) {
    pqxx::nontransaction work{connection.raw()};
    // In order of the ids: two who insert the same jobs seldom wait for each other in turn.
    const auto rows = connection.exec_prepared(
        work,
        "INSERT INTO job (" FANFARE_ORDER_COLUMNS
        ") SELECT id, key, system, kind, body::jsonb, lane, nullif(expires, '')::timestamptz, "
        " list, subject, CASE WHEN writes_back THEN app_now() END, nullif(digest, ''), "
        " nullif(origin, ''), nullif(trace, '') "
        "FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], "
        " $7::text[], $8::text[], $9::text[], $10::boolean[], $11::text[], $12::text[], "
        " $13::text[], $14::uuid[]) AS o(id, key, system, kind, body, lane, expires, list, "
        " subject, writes_back, digest, origin, trace, own_id) "
        "WHERE NOT EXISTS (SELECT FROM job WHERE job.id = own_id) ORDER BY id "
        "ON CONFLICT DO NOTHING RETURNING id",
        orders.ids.text(), orders.keys.text(), orders.systems.text(), orders.kinds.text(),
        orders.bodies.text(), orders.lanes.text(), orders.expiries.text(), orders.lists.text(),
        orders.subjects.text(), orders.writes_back.text(), orders.digests.text(),
        orders.origins.text(), orders.traces.text(), orders.own_ids.text());
    std::set<std::string> inserted;
    for (const auto& row : rows) inserted.insert(row[0].c_str());
    return inserted;
}

}  // namespace

std::vector<TakenJob> take_jobs(Connection& connection, std::span<const NewJob* const> jobs) {
    if (jobs.size() == 1) return {take_job(connection, *jobs.front())};
    OrderArrays orders;
    std::set<std::string_view> given;
    // Of two with one id only the first goes the short way.
    std::vector<bool> is_first;
    for (const auto* const job : jobs) {
        is_first.push_back(given.insert(job->job.id).second);
        if (is_first.back()) orders.add(*job);
    }
    const auto inserted = insert_free(connection, orders);
    std::vector<TakenJob> taken;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const bool is_added = is_first[i] && inserted.contains(jobs[i]->job.id);
        taken.push_back(is_added ? TakenJob{How::added, jobs[i]->job.id}
                                 : take_job(connection, *jobs[i]));
    }
    return taken;
}

}  // namespace fanfare::ledger
