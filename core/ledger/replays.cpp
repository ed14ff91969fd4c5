#include "core/ledger/replays.hpp"

#include "core/ledger/bytea.hpp"
#include "core/ledger/caps.hpp"
#include "core/ledger/iso.hpp"
#include "core/ledger/replay_choice.hpp"
#include "core/ledger/splits.hpp"
#include "core/wire/job.hpp"

#include <fmt/format.h>
#include <pqxx/transaction>

#include <algorithm>
#include <array>

namespace fanfare::ledger {
namespace {

using postgres::ArrayLiteral;
constexpr int chunks_taken_at_once = 100;  // With their recipients.

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

    void add(const ChunkKey& key, const std::string& fates) {
        any = true;
        keys.add(key);
        outcomes.add(encode_bytea(fates));
        tallies.add(fmt::format("{{{}}}", fmt::join(count_outcomes(fates), ",")));
    }
    void write(pqxx::transaction_base& work) const {
        if (!any) return;
        work.exec_params(
            "UPDATE chunk c SET outcomes = decode(substr(w.outcomes, 3), 'hex'), "
            "tally = w.tally::int[], updated_at = app_now() "
            "FROM unnest($1::uuid[], $2::smallint[], $3::int[], $4::text[], $5::text[]) "
            " AS w(job_id, channel, number, outcomes, tally) WHERE " FANFARE_KEYS_EQUAL("c", "w"),
            keys.jobs.text(), keys.channels.text(), keys.numbers.text(), outcomes.text(),
            tallies.text());
    }
};

/// The new job, as the old one, with a time to live of its own where that one has expired. False
/// where the old one is gone, is called off, or has expired and is given none.
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
                   "WHERE (lives OR $5 > 0) AND state <> 'cancelled' "
                   "AND called_off_at IS NULL ON CONFLICT DO NOTHING",
                   id, key, old, replay, ttl)
               .affected_rows() == 1;
}

/// What is made of people who are taken over.
struct NewJob {
    NewChunks chunks;
    ArrayLiteral in_doubt{};  // Who of them may have been told.
    ReplayedJob done{};
};

/// Rows of `chosen`, below.
void take_over(pqxx::transaction_base& work, const pqxx::result& rows, const Chooser& chooser,
               NewJob& new_job) {
    auto& [new_chunks, in_doubt, done] = new_job;
    std::vector<ChunkChoice> old;
    for (const auto& row : rows) {
        postgres::TextArray recipients;
        postgres::parse_array(row[6].c_str(), recipients);
        const Fates fates{row, 7, recipients.elements.size()};
        old.push_back({read_key(row), fates, std::move(recipients), {}});
    }
    chooser.choose(old);
    Moved moved;
    for (std::size_t i = 0; i < old.size(); ++i) {
        auto& chunk = old[i];
        const auto row = rows[static_cast<pqxx::result::size_type>(i)];
        const auto taken = std::count(chunk.choices.begin(), chunk.choices.end(), Choice::taken);
        if (row[3].as<bool>()) {  // Its worker's record would overwrite what is written here.
            done.held += taken;
            continue;
        }
        if (taken == 0) continue;
        const NewChunks::Source source{chunk.key, row[4].as<int>(), row[5].as<int>()};
        for (std::size_t at = 0; at < chunk.choices.size(); ++at) {
            if (chunk.choices[at] != Choice::taken) continue;
            new_chunks.add(source, std::string{chunk.recipients.elements[at]});
            auto& outcome = chunk.fates.outcomes[at];
            if (static_cast<Outcome>(outcome) == Outcome::unknown) {
                in_doubt.add(chunk.recipients.elements[at]);
            }
            outcome = static_cast<char>(Outcome::replayed);
        }
        done.people += taken;
        moved.add(chunk.key, chunk.fates.outcomes);
    }
    moved.write(work);
}

#define FANFARE_CHOSEN_ROWS                                                           \
    "DECLARE chosen NO SCROLL CURSOR FOR "                                            \
    "SELECT c.job_id, c.channel, c.number, c.state = 'claimed', c.lane, c.on_doubt, " \
    "c.recipients, c.outcomes, c.reasons, c.causes "                                  \
    "FROM job j JOIN chunk c ON c.job_id = j.id WHERE " FANFARE_CHOSEN_JOBS           \
    "AND " FANFARE_CHOSEN_CHUNKS

/// Whether the old job was called off meanwhile. From here to the commit nobody calls it off, and
/// whoever does so then finds the new job. Who has waited for longer than a second may be waiting
/// for whom waits for us.
bool is_called_off(pqxx::transaction_base& work, const std::string& job) {
    work.exec("SET LOCAL lock_timeout = '900ms'");
    return work
        .exec_params(
            "SELECT FROM job WHERE id = $1::uuid AND state <> 'cancelled' "
            "AND called_off_at IS NULL FOR NO KEY UPDATE",
            job)
        .empty();
}

}  // namespace

ReplayedJob replay_job(Connection& connection, std::int64_t replay, const ReplayOrder& order,
                       const std::string& job) {
    const auto key = fmt::format("replay/{}/{}", replay, job);
    const auto id = derived_id(key);
    pqxx::work work{connection.raw()};
    // One replay of a job at a time, and nothing of the job itself is held back by it.
    work.exec_params("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", "replay/" + job);
    if (!insert_new_job(work, replay, order, job, id, key)) return {};
    auto one = order.filter;
    one.jobs = {job};
    const Chooser chooser{work, one};
    NewJob made{{work, job, id}};
    const auto take = [&](std::string_view which) {
        exec_filtered(work, FANFARE_CHOSEN_ROWS + std::string{which}, one);
        while (true) {
            const auto rows = work.exec(fmt::format("FETCH {} FROM chosen", chunks_taken_at_once));
            if (rows.empty()) break;
            take_over(work, rows, chooser, made);
        }
        work.exec("CLOSE chosen");
    };
    take("AND c.state <> 'claimed' ORDER BY c.channel, c.number FOR UPDATE OF c");
    take("AND c.state = 'claimed'");  // Who is held is only counted.
    auto& done = made.done;
    if (done.people == 0 || is_called_off(work, job)) return {{}, 0, done.held};
    made.chunks.flush();
    work.exec_params("UPDATE job SET planned = $2::bigint[] WHERE id = $1::uuid", id,
                     fmt::format("{{{}}}", fmt::join(made.chunks.planned(), ",")));
    keep_places(work, job, made.in_doubt.text());
    work.commit();
    done.job = id;
    return done;
}

}  // namespace fanfare::ledger
