#include "core/ledger/replays.hpp"

#include "core/ledger/bytes.hpp"
#include "core/ledger/iso.hpp"
#include "core/ledger/replay_choice.hpp"
#include "core/ledger/splits.hpp"
#include "core/wire/job.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include <algorithm>
#include <array>

namespace fanfare::ledger {
namespace {

using postgres::ArrayLiteral;
constexpr int chunks_per_fetch = 100;  // With their recipients.

std::string json_of(const ReplayFilter& filter) {
    boost::json::object json;
    const auto put = [&json](const char* name, const std::string& value) {
        if (!value.empty()) json[name] = value;
    };
    if (!filter.jobs.empty()) {
        json["jobs"] = boost::json::array(filter.jobs.begin(), filter.jobs.end());
    }
    put("system", filter.system);
    put("kind", filter.kind);
    put("subject", filter.subject);
    put("source", filter.source);
    if (filter.channel) json["channel"] = to_string(*filter.channel);
    put("account", filter.account);
    boost::json::array outcomes;
    for (const auto outcome : filter.outcomes) outcomes.emplace_back(to_string(outcome));
    json["outcomes"] = std::move(outcomes);
    boost::json::array reasons;
    for (const auto reason : filter.reasons) reasons.emplace_back(to_string(reason));
    if (!reasons.empty()) json["reasons"] = std::move(reasons);
    if (filter.since) json["since"] = format_timestamp(*filter.since);
    if (filter.until) json["until"] = format_timestamp(*filter.until);
    return boost::json::serialize(json);
}

}  // namespace

std::int64_t begin_replay(Connection& connection, const ReplayOrder& order) {
    pqxx::nontransaction work{connection.raw()};
    const auto ttl = order.ttl ? std::to_string(order.ttl->count()) : std::string{};
    const auto rows = work.exec_params(
        "WITH added AS (INSERT INTO replay (key, who, because, filter, ttl_s) "
        " VALUES ($1, $2, $3, $4::jsonb, nullif($5, '')::bigint) ON CONFLICT DO NOTHING "
        " RETURNING id) SELECT id FROM added UNION ALL SELECT id FROM replay WHERE key = $1",
        order.key, order.who, order.because, json_of(order.filter), ttl);
    return rows.at(0)[0].as<std::int64_t>();
}

std::vector<std::string> replayable_jobs(Connection& connection, const ReplayOrder& order) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = exec_filtered(
        work,
        "SELECT j.id FROM job j WHERE " FANFARE_CHOSEN_JOBS
        "AND ($11 OR coalesce(j.expires_at > app_now(), true)) "
        "AND EXISTS (SELECT FROM chunk c WHERE c.job_id = j.id AND " FANFARE_CHOSEN_CHUNKS
        ") ORDER BY j.created_at, j.id",
        order.filter, order.ttl.has_value());
    std::vector<std::string> jobs;
    for (const auto& row : rows) jobs.emplace_back(row[0].c_str());
    return jobs;
}

namespace {

/// Writes the new job's chunks: people of neighbouring old chunks together, as many as one may
/// hold. What was split off others stays alone, because such chunks are in no order.
class NewChunks {
public:
    /// None is larger than the largest of the `old` job's channel.
    NewChunks(pqxx::transaction_base& work, const std::string& old, std::string job)
        : work_{work}, job_{std::move(job)} {
        const auto rows = work.exec_params(
            "SELECT channel, max(size) FROM chunk WHERE job_id = $1::uuid GROUP BY channel", old);
        for (const auto& row : rows) sizes_[row[0].as<std::size_t>()] = row[1].as<std::int32_t>();
    }

    struct Source {
        ChunkKey key;
        int lane = 0;
        int on_doubt = 0;
    };
    void add(const Source& source, const std::string& recipient) {
        const bool follows = count_ > 0 && source.key.channel == source_.key.channel &&
                             (source.key.number == last_number_ ||
                              (source.key.number < split_begin && last_number_ < split_begin &&
                               source.on_doubt == source_.on_doubt));
        const auto most = sizes_[static_cast<std::size_t>(source.key.channel)];
        if (count_ > 0 && (!follows || count_ >= most)) flush();
        if (count_ == 0) {
            source_ = source;
            // Half of a large old chunk: its number is taken by the half before.
            if (const auto taken = numbers_[static_cast<std::size_t>(source.key.channel)];
                source.key.number <= taken) {
                source_.key.number = taken + 1;
            }
        }
        last_number_ = source.key.number;
        people_.add(recipient);
        ++count_;
    }
    void flush() {
        if (count_ == 0) return;
        const auto channel = static_cast<std::size_t>(source_.key.channel);
        work_.exec_params(
            "INSERT INTO chunk (job_id, day, channel, number, on_doubt, lane, publish_at, size, "
            "recipients) SELECT id, day, $2::smallint, $3::int, $4::smallint, $5::smallint, "
            "app_now(), $6::int, $7::text[] FROM job WHERE id = $1::uuid",
            job_, static_cast<int>(channel), source_.key.number, source_.on_doubt, source_.lane,
            count_, people_.text());
        numbers_[channel] = source_.key.number;
        planned_[channel] += count_;
        people_ = {};
        count_ = 0;
    }
    [[nodiscard]] const auto& planned() const { return planned_; }

private:
    pqxx::transaction_base& work_;
    std::string job_;
    std::array<std::int32_t, channel_count> sizes_{};
    Source source_;
    ArrayLiteral people_;
    std::int32_t count_ = 0;
    std::int32_t last_number_ = 0;
    std::array<std::int32_t, channel_count> numbers_{-1, -1, -1};
    std::array<std::int64_t, channel_count> planned_{};
};

/// Old chunks whose people have become `replayed`.
struct Moved {
    KeyArrays keys;
    ArrayLiteral outcomes, tallies;
    bool any = false;

    void write(pqxx::transaction_base& work) {
        if (!any) return;
        work.exec_params(
            "UPDATE chunk c SET outcomes = decode(substr(w.outcomes, 3), 'hex'), "
            "tally = w.tally::int[], updated_at = app_now() "
            "FROM unnest($1::uuid[], $2::smallint[], $3::int[], $4::text[], $5::text[]) "
            " AS w(job_id, channel, number, outcomes, tally) WHERE " FANFARE_KEYS_EQUAL("c", "w"),
            keys.jobs.text(), keys.channels.text(), keys.numbers.text(), outcomes.text(),
            tallies.text());
        *this = {};
    }
};

/// The new job, as the old one, with a time to live of its own where that one has expired. False
/// where the old one is gone, or has expired and is given none.
bool insert_new_job(pqxx::transaction_base& work, std::int64_t replay, const ReplayOrder& order,
                    const std::string& old, const std::string& id, const std::string& key) {
    const auto ttl = order.ttl ? order.ttl->count() : 0;
    return work
               .exec_params(
                   "INSERT INTO job (id, idempotency_key, system, kind, body, lane, state, "
                   "expires_at, own_templates, list, subject, order_digest, planned_at, replay, "
                   "replay_of, origin) "
                   "SELECT $1::uuid, $2, system, kind, CASE WHEN lives THEN body ELSE body || "
                   " jsonb_build_object('expires_at', " FANFARE_ISO_SECONDS("fresh") ") END || "
                   " jsonb_build_object('id', $1::text, 'idempotency_key', $2::text), lane, "
                   "'sending', CASE WHEN lives THEN expires_at ELSE fresh END, own_templates, "
                   "list, subject, NULL, app_now(), $4, id, coalesce(origin, id) "
                   "FROM (SELECT job.*, coalesce(expires_at > app_now(), true) AS lives, "
                   "  app_now() + $5 * interval '1 s' AS fresh FROM job WHERE id = $3::uuid) j "
                   "WHERE lives OR $5 > 0 ON CONFLICT DO NOTHING",
                   id, key, old, replay, ttl)
               .affected_rows() == 1;
}

}  // namespace

ReplayedJob replay_job(Connection& connection, std::int64_t replay, const ReplayOrder& order,
                       const std::string& job) {
    const auto key = fmt::format("replay/{}/{}", replay, job);
    ReplayedJob done;
    const auto id = derived_id(key);
    pqxx::work work{connection.raw()};
    work.exec_params("SELECT FROM job WHERE id = $1::uuid FOR NO KEY UPDATE", job);
    if (!insert_new_job(work, replay, order, job, id, key)) return done;
    auto one = order.filter;
    one.jobs = {job};
    exec_filtered(work,
                  "DECLARE chosen NO SCROLL CURSOR FOR "
                  "SELECT c.job_id, c.channel, c.number, c.state = 'claimed', c.lane, c.on_doubt, "
                  "c.recipients, c.outcomes, c.reasons, c.causes "
                  "FROM job j JOIN chunk c ON c.job_id = j.id WHERE " FANFARE_CHOSEN_JOBS
                  "AND " FANFARE_CHOSEN_CHUNKS "ORDER BY c.channel, c.number FOR UPDATE OF c",
                  one);
    NewChunks chunks{work, job, id};
    while (true) {
        const auto rows = work.exec(fmt::format("FETCH {} FROM chosen", chunks_per_fetch));
        if (rows.empty()) break;
        Moved moved;
        for (const auto& row : rows) {
            postgres::TextArray recipients;
            postgres::parse_array(row[6].c_str(), recipients);
            const auto size = recipients.elements.size();
            Fates fates{row, 7, size};
            std::vector<std::size_t> positions;
            std::vector<std::string> unsure;
            for (std::size_t i = 0; i < size; ++i) {
                if (!is_chosen(order.filter, fates.outcomes[i], fates.reasons[i],
                               fates.causes[i])) {
                    continue;
                }
                positions.push_back(i);
                if (may_be_elsewhere(fates.reasons[i])) unsure.emplace_back(recipients.elements[i]);
            }
            if (row[3].as<bool>()) {  // Its worker's record would overwrite what is written here.
                done.held += static_cast<std::int64_t>(positions.size());
                continue;
            }
            const auto theirs = elsewhere(work, job, unsure);
            const NewChunks::Source source{key_of(row), row[4].as<int>(), row[5].as<int>()};
            bool changed = false;
            for (const auto i : positions) {
                std::string recipient{recipients.elements[i]};
                if (std::binary_search(theirs.begin(), theirs.end(), recipient)) continue;
                chunks.add(source, recipient);
                fates.outcomes[i] = static_cast<char>(Outcome::replayed);
                ++done.people;
                changed = true;
            }
            if (!changed) continue;
            moved.any = true;
            moved.keys.add(source.key);
            moved.outcomes.add(hex_of(fates.outcomes));
            moved.tallies.add(fmt::format("{{{}}}", fmt::join(tally_of(fates.outcomes), ",")));
        }
        moved.write(work);
    }
    if (done.people == 0) return done;  // Nothing is committed.
    chunks.flush();
    work.exec_params("UPDATE job SET planned = $2::bigint[] WHERE id = $1::uuid", id,
                     fmt::format("{{{}}}", fmt::join(chunks.planned(), ",")));
    work.commit();
    done.job = id;
    return done;
}

void end_replay(Connection& connection, std::int64_t replay) {
    pqxx::nontransaction{connection.raw()}.exec_params(
        "UPDATE replay SET finished_at = app_now() WHERE id = $1 AND finished_at IS NULL", replay);
}

}  // namespace fanfare::ledger
