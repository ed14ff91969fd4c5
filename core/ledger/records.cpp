// Marks and records of chunks: what workers write, and what of it counts.
#include "core/ledger/bytea.hpp"
#include "core/ledger/caps.hpp"
#include "core/ledger/chunk_rows.hpp"
#include "core/ledger/pauses.hpp"
#include "core/ledger/splits.hpp"
#include "core/wire/timestamp.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include <algorithm>
#include <array>

namespace fanfare::ledger {
namespace {

using postgres::ArrayLiteral;

/// One array literal a column; `w` in SQL.
struct WordArrays {
    KeyArrays keys;
    ArrayLiteral epochs, outcomes, reasons, attempts, causes, ids, tallies, accounts;

    void add(const ChunkMark& mark) {
        // Most say of nobody yet what became of them: no change that the ledger has to count.
        add(mark, hex_or_none(mark.outcomes));
    }
    void add(const auto& word, const std::string& hex_of_outcomes) {
        keys.add(word.key);
        epochs.add(word.epoch);
        outcomes.add(hex_of_outcomes);
        reasons.add(hex_or_none(word.reasons));
        attempts.add(hex_or_none(word.attempts));
        causes.add(hex_or_none(word.causes));
        ids.add(postgres::to_array_literal(word.provider_ids));
        tallies.add(fmt::format("{{{}}}", fmt::join(count_outcomes(word.outcomes), ",")));
        accounts.add(word.account);
    }
};
#define FANFARE_WORDS                                                            \
    "$1::uuid[], $2::smallint[], $3::int[], $4::int[], $5::text[], $6::text[], " \
    "$7::text[], $8::text[], $9::text[], $10::text[], $11::text[]"
#define FANFARE_WORD_NAMES \
    "job_id, channel, number, epoch, outcomes, reasons, attempts, causes, ids, tally, account"
#define FANFARE_BYTES(column) \
    column " = CASE WHEN w." column " <> '' THEN decode(substr(w." column ", 3), 'hex') END, "
#define FANFARE_SET_WORDS     \
    FANFARE_BYTES("outcomes") \
    FANFARE_BYTES("reasons") FANFARE_BYTES("attempts") FANFARE_BYTES("causes")          \
    "tally = w.tally::int[], account = coalesce(nullif(w.account, ''), c.account), "    \
    "updated_at = app_now() "

/// What a record writes besides; a chunk that waits is due at the latest when its job expires.
struct RecordArrays : WordArrays {
    ArrayLiteral states, waits, failures, keeps, moments;

    void add(const ChunkRecord& record) {
        WordArrays::add(record, encode_bytea(record.outcomes));
        states.add(record.done ? "done" : "planned");
        waits.add(record.next_in.count());
        failures.add(record.failures);
        keeps.add(record.taken_over ? "t" : "f");
        moments.add(record.not_before ? format_timestamp(*record.not_before) : std::string{});
    }
};
#define FANFARE_DUE                                                                       \
    "CASE WHEN w.state = 'done' THEN app_now() ELSE least(greatest(app_now() + w.wait * " \
    "interval '1 ms', nullif(w.not_before, '')::timestamptz), "                           \
    "(SELECT j.expires_at FROM job j WHERE j.id = w.job_id)) END"
#define FANFARE_SET_RECORD                                                              \
    "state = w.state::chunk_state, lease_until = NULL, begun = NULL, "                  \
    "claim_token = CASE WHEN w.keep THEN c.claim_token END, "                           \
    "takeovers = CASE WHEN w.keep THEN c.takeovers ELSE 0 END, failures = w.failures, " \
    "next_at = " FANFARE_DUE ", publish_at = " FANFARE_DUE                              \
    ", "                                                                                \
    "provider_ids = nullif(w.ids, '{}')::text[], " FANFARE_SET_WORDS
#define FANFARE_RECORDS     \
    "unnest(" FANFARE_WORDS \
    ", $12::text[], $13::bigint[], $14::smallint[], $15::boolean[], $16::text[])"
#define FANFARE_RECORD_NAMES FANFARE_WORD_NAMES ", state, wait, failures, keep, not_before"

/// `set` for all whose chunk is still theirs. A row that somebody has locked is left out, so that
/// it holds up nobody else.
#define FANFARE_FENCED(from, names, set, paused) \
    "WITH w AS MATERIALIZED (SELECT * FROM " from " WITH ORDINALITY AS w(" names      \
    ", n)), ours AS MATERIALIZED (SELECT w.* FROM w " FANFARE_ROW_OF_W(               \
        "k.state, k.epoch", "FOR UPDATE SKIP LOCKED") "WHERE " FANFARE_HELD           \
    "), written AS (UPDATE chunk c SET " set "FROM ours w WHERE " FANFARE_KEYS_EQUAL( \
        "c", "w") "RETURNING w.n) SELECT w.n, EXISTS (SELECT 1 FROM written WHERE "   \
    "written.n = w.n), EXISTS (SELECT FROM job j WHERE j.id = w.job_id AND j.state = "  \
    "'cancelled'), " paused                                                             \
    " FROM w " FANFARE_ROW_OF_W("k.state, k.epoch", "") "WHERE " FANFARE_HELD
#define FANFARE_HELD "CASE c.state WHEN 'claimed' THEN c.epoch = w.epoch ELSE false END "

Written read_written(const pqxx::result& rows, const auto& words) {
    Written written;
    for (const auto& row : rows) {
        const auto& key = words[row[0].as<std::size_t>() - 1].key;
        (row[1].as<bool>() ? written.keys : written.busy).push_back(key);
        if (row[2].as<bool>()) written.cancelled.push_back(key);
        if (row[3].as<bool>()) written.paused.push_back(key);
    }
    return written;
}

pqxx::result exec_records(Connection& connection, pqxx::transaction_base& work,
                          const std::string& sql, std::span<const ChunkRecord> records) {
    RecordArrays w;
    for (const auto& record : records) w.add(record);
    return connection.exec_prepared(
        work, sql, w.keys.jobs.text(), w.keys.channels.text(), w.keys.numbers.text(),
        w.epochs.text(), w.outcomes.text(), w.reasons.text(), w.attempts.text(), w.causes.text(),
        w.ids.text(), w.tallies.text(), w.accounts.text(), w.states.text(), w.waits.text(),
        w.failures.text(), w.keeps.text(), w.moments.text());
}

Written write_records(Connection& connection, pqxx::transaction_base& work,
                      std::span<const ChunkRecord> records) {
    static const std::string sql =
        FANFARE_FENCED(FANFARE_RECORDS, FANFARE_RECORD_NAMES, FANFARE_SET_RECORD, "false");
    return read_written(exec_records(connection, work, sql, records), records);
}

/// Inserts a fallback chunk of the job under `number`. False when there is one.
bool insert_fallback(pqxx::work& work, const std::string& job, std::int32_t number,
                     const FallbackChunk& fallback) {
    const auto size = static_cast<std::int32_t>(fallback.recipients.size());
    const auto added =
        work.exec_params(
                "INSERT INTO chunk (job_id, day, channel, number, on_doubt, lane, publish_at, "
                "size, recipients) SELECT id, day, $2::smallint, $3::int, $4::smallint, "
                "$5::smallint, app_now(), $6::int, $7::text[] "
                "FROM job WHERE id = $1::uuid ON CONFLICT DO NOTHING",
                job, static_cast<int>(fallback.channel), number,
                static_cast<int>(fallback.on_doubt), static_cast<int>(fallback.lane), size,
                postgres::to_array_literal(fallback.recipients))
            .affected_rows();
    if (added == 0) return false;
    work.exec_params("UPDATE job SET planned[$2] = planned[$2] + $3 WHERE id = $1::uuid", job,
                     static_cast<int>(fallback.channel) + 1, size);
    return true;
}

/// Somebody may have been unreachable when the chunk was settled the first time: they have their
/// chunk, and only the others get another one.
void add_fallback(pqxx::work& work, const ChunkKey& key, const FallbackChunk& fallback) {
    if (insert_fallback(work, key.job, key.number, fallback)) return;
    auto rest = fallback;
    const auto rows = work.exec_params(
        "SELECT unnest($3::text[]) COLLATE \"C\" AS recipient EXCEPT "
        "SELECT unnest(recipients) COLLATE \"C\" FROM chunk "
        "WHERE job_id = $1::uuid AND channel = $2 AND (number = $4 OR number >= $5) ORDER BY 1",
        key.job, static_cast<int>(fallback.channel),
        postgres::to_array_literal(fallback.recipients), key.number, split_begin);
    rest.recipients.clear();
    for (const auto& row : rows) rest.recipients.emplace_back(row[0].c_str(), row[0].size());
    if (rest.recipients.empty()) return;
    insert_fallback(work, key.job, next_split_number(work, key.job), rest);
}

/// What belongs to a record besides its own row.
void complete(pqxx::work& work, const ChunkRecord& record) {
    if (record.fallback) add_fallback(work, record.key, *record.fallback);
    if (record.counted.count() > 0) settle_places(work, record.key, record.counted);
}

/// What was written about somebody of whom nobody knew: their own worker's word replaces it.
bool is_guess(char outcome, char reason) {
    return !is_final(static_cast<Outcome>(outcome)) ||
           (static_cast<Outcome>(outcome) == Outcome::unknown &&
            static_cast<Reason>(reason) == Reason::worker_lost);
}

/// Takes these people, who are sorted, out of a fallback; nothing where nobody is left.
void take_out(const std::vector<std::string_view>& people, std::optional<FallbackChunk>& fallback) {
    if (!fallback) return;
    std::erase_if(fallback->recipients, [&](const auto& one) {
        return std::binary_search(people.begin(), people.end(), one);
    });
    if (fallback->recipients.empty()) fallback.reset();
}

/// The record with everybody in it who is known otherwise as the ledger knows them: receipts may
/// have told of them meanwhile, or a cancel have ended it for them: nobody turns those elsewhere.
/// Whom they settle alone are left to the next claim, which knows who is to be turned to another
/// channel.
ChunkRecord merged(const ChunkRecord& late, const pqxx::row& row) {
    ChunkRecord record = late;
    const auto count = late.outcomes.size();
    const auto outcomes = bytes_or_zeros(row[0], count);
    const auto reasons = bytes_or_zeros(row[1], count);
    const auto attempts = bytes_or_zeros(row[2], count);
    const auto causes = bytes_or_zeros(row[3], count);
    auto ids = ids_or_none(row[4], count);
    if (record.provider_ids.size() == 1) record.provider_ids.resize(count, late.provider_ids[0]);
    record.provider_ids.resize(count);
    for (auto* const bytes : {&record.reasons, &record.attempts, &record.causes}) {
        bytes->resize(count, '\0');
    }
    postgres::TextArray people;
    postgres::parse_array(row[5].c_str(), people);
    std::vector<std::string_view> known_otherwise;
    bool all_final = true;
    for (std::size_t i = 0; i < count; ++i) {
        if (!is_guess(outcomes[i], reasons[i])) {
            if (outcomes[i] != record.outcomes[i] || reasons[i] != record.reasons[i]) {
                known_otherwise.push_back(people.elements[i]);
            }
            record.outcomes[i] = outcomes[i];
            record.reasons[i] = reasons[i];
            record.attempts[i] = attempts[i];
            record.causes[i] = causes[i];
        }
        if (!ids[i].empty()) record.provider_ids[i] = std::move(ids[i]);
        if (!is_final(static_cast<Outcome>(record.outcomes[i]))) all_final = false;
    }
    record.done = late.done && all_final;
    if (all_final) {
        record.next_in = {};
        record.not_before.reset();
    }
    record.provider_ids = compact_ids(std::move(record.provider_ids));
    take_out(known_otherwise, record.fallback);
    return record;
}

/// The word of a worker that lost its chunk and lives. Nobody has claimed the chunk since: it has
/// the token still.
void record_late(Connection& connection, const ChunkRecord& late, Written& written) {
    pqxx::work work{connection.raw()};
    const auto channel = static_cast<int>(late.key.channel);
    const auto size = static_cast<std::int32_t>(late.outcomes.size());
    const auto find = [&](const std::string& lock) {
        return work.exec_params(
            "SELECT outcomes, reasons, attempts, causes, provider_ids, recipients FROM chunk "
            "WHERE job_id = $1::uuid AND channel = $2 AND number = $3 AND claim_token = $4 "
            "AND size = $5 " +
                lock,
            late.key.job, channel, late.key.number, late.token, size);
    };
    const auto rows = find("FOR UPDATE SKIP LOCKED");
    if (rows.empty()) {
        if (!find("").empty()) written.busy.push_back(late.key);
        return;
    }
    const std::vector<ChunkRecord> record{merged(late, rows[0])};
    static const std::string sql =
        "UPDATE chunk c SET " FANFARE_SET_RECORD "FROM " FANFARE_RECORDS
        " AS w(" FANFARE_RECORD_NAMES ") WHERE " FANFARE_KEYS_EQUAL("c", "w");
    exec_records(connection, work, sql, record);
    complete(work, record[0]);
    // It may have been closed by what was written without knowing.
    work.exec_params(
        "UPDATE job SET state = CASE state WHEN 'done' THEN 'sending' ELSE state END, "
        "finished_at = CASE state WHEN 'done' THEN NULL ELSE finished_at END, settled_at = NULL "
        "WHERE id = $1::uuid AND state IN ('done', 'cancelled') "
        "AND EXISTS (SELECT 1 FROM chunk WHERE job_id = job.id AND state <> 'done')",
        late.key.job);
    work.commit();
    written.keys.push_back(late.key);
}

bool suppresses(const auto& words) {
    return std::any_of(words.begin(), words.end(),
                       [](const auto& word) { return !word.suppressions.empty(); });
}

/// Last in its transaction: whom it waits for waits for no chunk.
void suppress(pqxx::transaction_base& work, const auto& words) {
    std::array<std::vector<NewSuppression>, channel_count> all;
    for (const auto& word : words) {
        auto& of_channel = all[static_cast<std::size_t>(word.key.channel)];
        of_channel.insert(of_channel.end(), word.suppressions.begin(), word.suppressions.end());
    }
    for (std::size_t i = 0; i < channel_count; ++i) {
        if (!all[i].empty()) {
            add_suppressions(work, static_cast<Channel>(i), all[i], "provider");
        }
    }
}

bool contains(const std::vector<ChunkKey>& keys, const ChunkKey& key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

}  // namespace

Written mark_chunks(Connection& connection, std::span<const ChunkMark> marks) {
    WordArrays w;
    ArrayLiteral begun;
    for (const auto& mark : marks) {
        w.add(mark);
        begun.add(hex_or_none(mark.begun));
    }
    static const std::string sql = FANFARE_FENCED(
        "unnest(" FANFARE_WORDS ", $12::text[])", FANFARE_WORD_NAMES ", begun",
        FANFARE_BYTES("begun") "provider_ids = CASE WHEN w.ids = '{}' THEN c.provider_ids "
        " ELSE w.ids::text[] END, " FANFARE_SET_WORDS,
        FANFARE_PAUSED("w.job_id", "w.channel", "w.account"));
    const auto write = [&](pqxx::transaction_base& work) {
        return read_written(
            connection.exec_prepared(
                work, sql, w.keys.jobs.text(), w.keys.channels.text(), w.keys.numbers.text(),
                w.epochs.text(), w.outcomes.text(), w.reasons.text(), w.attempts.text(),
                w.causes.text(), w.ids.text(), w.tallies.text(), w.accounts.text(), begun.text()),
            marks);
    };
    if (!suppresses(marks)) {
        pqxx::nontransaction work{connection.raw()};
        return write(work);
    }
    pqxx::work work{connection.raw()};
    auto written = write(work);
    suppress(work, marks);
    work.commit();
    return written;
}

Written record_chunks(Connection& connection, std::span<const ChunkRecord> records) {
    Written written;
    const bool plain =
        std::none_of(records.begin(), records.end(),
                     [](const auto& record) {
                         return record.fallback.has_value() || record.counted.count() > 0;
                     }) &&
        !suppresses(records);
    if (plain) {
        pqxx::nontransaction work{connection.raw()};
        written = write_records(connection, work, records);
    } else {
        pqxx::work work{connection.raw()};
        written = write_records(connection, work, records);
        for (const auto& record : records) {
            if (contains(written.keys, record.key)) complete(work, record);
        }
        suppress(work, records);
        work.commit();
    }
    for (const auto& record : records) {
        const bool lost =
            !contains(written.keys, record.key) && !contains(written.busy, record.key);
        if (lost && record.token != 0 && !record.taken_over) {
            record_late(connection, record, written);
        }
    }
    return written;
}

}  // namespace fanfare::ledger
