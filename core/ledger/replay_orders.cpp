// Orders to replay: who gave which, how far it is, and which jobs took people of which over.
#include "core/ledger/columns.hpp"
#include "core/ledger/iso.hpp"
#include "core/ledger/replay_choice.hpp"
#include "core/ledger/replay_words.hpp"
#include "core/ledger/snapshot.hpp"

#include <pqxx/nontransaction>

namespace fanfare::ledger {
namespace {

/// The people of a job `j` as it was made; those whom a fallback has of it are not counted twice.
#define FANFARE_TAKEN_OVER                                              \
    "(SELECT coalesce(sum(j.planned[ch.code + 1]), 0) FROM channel ch " \
    " WHERE (j.body -> 'channels') ? ch.name)"

}  // namespace

KnownReplay begin_replay(Connection& connection, const ReplayOrder& order) {
    pqxx::nontransaction work{connection.raw()};
    const auto filter = to_json(order.filter);
    const auto ttl = order.ttl ? std::to_string(order.ttl->count()) : std::string{};
    work.exec_params(
        "INSERT INTO replay (key, who, because, filter, ttl_s, unattended) "
        "VALUES ($1, $2, $3, $4::jsonb, nullif($5, '')::bigint, $6) ON CONFLICT DO NOTHING",
        order.key, order.who, order.because, filter, ttl, order.unattended);
    const auto row = work.exec_params1(
        "SELECT id, filter = $2::jsonb AND ttl_s IS NOT DISTINCT FROM nullif($3, '')::bigint, "
        "finished_at IS NOT NULL FROM replay WHERE key = $1",
        order.key, filter, ttl);
    return {row[0].as<std::int64_t>(), row[1].as<bool>(), row[2].as<bool>()};
}

std::vector<std::string> replayable_jobs(Connection& connection, const ReplayOrder& order) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = exec_filtered(
        work,
        "SELECT j.id FROM job j WHERE " FANFARE_CHOSEN_JOBS
        "AND ($12 OR coalesce(j.expires_at > app_now(), true)) "
        "AND j.state <> 'cancelled' AND j.called_off_at IS NULL "
        "AND EXISTS (SELECT FROM chunk c WHERE c.job_id = j.id AND " FANFARE_CHOSEN_CHUNKS
        ") ORDER BY j.created_at, j.id",
        order.filter, order.ttl.has_value());
    std::vector<std::string> jobs;
    for (const auto& row : rows) jobs.emplace_back(row[0].c_str());
    return jobs;
}

std::vector<std::string> missing_jobs(Connection& connection, const ReplayFilter& filter) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT DISTINCT w.id FROM unnest($1::uuid[]) AS w(id) WHERE NOT EXISTS "
        "(SELECT FROM job j WHERE j.id = w.id AND ($2 = '{}' OR j.system = ANY($2::text[])) "
        "AND ($3 = '{}' OR j.body ->> 'source' = ANY($3::text[])))",
        postgres::to_array_literal(filter.jobs), postgres::to_array_literal(filter.systems),
        postgres::to_array_literal(filter.sources));
    std::vector<std::string> missing;
    for (const auto& row : rows) missing.emplace_back(row[0].c_str());
    return missing;
}

void end_replay(Connection& connection, std::int64_t replay, std::int64_t held) {
    pqxx::nontransaction{connection.raw()}.exec_params(
        "UPDATE replay SET finished_at = app_now(), held = $2 "
        "WHERE id = $1 AND finished_at IS NULL",
        replay, held);
}

std::vector<OpenReplay> open_replays(Connection& connection, int limit) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT id, key, who, because, filter, ttl_s FROM replay "
        "WHERE finished_at IS NULL AND unattended ORDER BY id LIMIT $1",
        limit);
    std::vector<OpenReplay> open;
    for (const auto& row : rows) {
        auto& one = open.emplace_back();
        one.id = row[0].as<std::int64_t>();
        one.order.key = row[1].c_str();
        one.order.who = row[2].c_str();
        one.order.because = row[3].c_str();
        one.order.filter = parse_filter(row[4].c_str());
        if (const auto ttl = number_or_none(row[5])) one.order.ttl = std::chrono::seconds{*ttl};
        one.order.unattended = true;
    }
    return open;
}

std::vector<ReplayLine> list_replays(Connection& connection, const ReplayPage& page, int limit) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT r.id, " FANFARE_ISO_SECONDS_OR_NONE("r.at")
        ", " FANFARE_ISO_SECONDS_OR_NONE("r.finished_at")
        ", r.who, r.because, r.filter, r.ttl_s, t.jobs, t.people, r.held FROM replay r "
        "CROSS JOIN LATERAL (SELECT count(*) AS jobs, coalesce(sum(" FANFARE_TAKEN_OVER
        "), 0) AS people FROM job j WHERE j.replay = r.id) t "
        "WHERE ($1 = '' OR (r.filter ? 'systems' "
        " AND r.filter -> 'systems' <@ to_jsonb(nullif($1, '')::text[]))) "
        "AND ($2 = '' OR (r.filter ? 'sources' "
        " AND r.filter -> 'sources' <@ to_jsonb(nullif($2, '')::text[]))) "
        "AND ($3::bigint = 0 OR r.id < $3) AND ($4::bigint = 0 OR r.id = $4) "
        "ORDER BY r.id DESC LIMIT $5",
        page.systems, page.sources, page.before, page.only, limit);
    std::vector<ReplayLine> lines;
    for (const auto& row : rows) {
        lines.push_back({.id = row[0].as<std::int64_t>(),
                         .at = row[1].c_str(),
                         .finished_at = row[2].c_str(),
                         .who = row[3].c_str(),
                         .because = row[4].c_str(),
                         .filter = row[5].c_str(),
                         .ttl_s = number_or_none(row[6]),
                         .jobs = row[7].as<std::int64_t>(),
                         .people = row[8].as<std::int64_t>(),
                         .held = row[9].as<std::int64_t>()});
    }
    return lines;
}

std::vector<ReplayPair> jobs_of_replay(Connection& connection, std::int64_t replay, int limit) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows =
        work.exec_params("SELECT j.id, j.replay_of, " FANFARE_TAKEN_OVER
                         " FROM job j WHERE j.replay = $1 ORDER BY j.created_at, j.id LIMIT $2",
                         replay, limit);
    std::vector<ReplayPair> pairs;
    for (const auto& row : rows) {
        pairs.push_back({row[0].c_str(), row[1].c_str(), row[2].as<std::int64_t>()});
    }
    return pairs;
}

std::vector<TakenOver> find_replays(Connection& connection, const std::string& job) {
    pqxx::nontransaction work{connection.raw()};
    return find_replays(work, job);
}

std::vector<TakenOver> find_replays(pqxx::transaction_base& work, const std::string& job) {
    const auto rows =
        work.exec_params("SELECT j.id, " FANFARE_TAKEN_OVER
                         " FROM job j WHERE j.replay_of = $1::uuid ORDER BY j.created_at, j.id",
                         job);
    std::vector<TakenOver> found;
    for (const auto& row : rows) found.push_back({row[0].c_str(), row[1].as<std::int64_t>()});
    return found;
}

std::vector<FateInJob> find_chain(Connection& connection, const std::string& job,
                                  const std::string& recipient) {
    Snapshot work{connection.raw()};
    return find_chain(work, job, recipient);
}

std::vector<FateInJob> find_chain(pqxx::transaction_base& work, const std::string& job,
                                  const std::string& recipient) {
    const auto rows = work.exec_params(
        "SELECT j.id FROM job asked JOIN job j ON j.id = coalesce(asked.origin, asked.id) "
        "OR j.origin = coalesce(asked.origin, asked.id) WHERE asked.id = $1::uuid "
        "ORDER BY j.created_at, j.origin IS NOT NULL, j.id",
        job);
    std::vector<FateInJob> chain;
    for (const auto& row : rows) {
        for (auto& fate : find_fate(work, row[0].c_str(), recipient)) {
            chain.push_back({row[0].c_str(), std::move(fate)});
        }
    }
    return chain;
}

}  // namespace fanfare::ledger
