#include "core/ledger/chunks.hpp"

#include "core/error/failure.hpp"
#include "core/ledger/bytes.hpp"
#include "core/ledger/caps.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include <algorithm>

namespace fanfare::ledger {
namespace {

using postgres::ArrayLiteral;

/// Three parallel array literals for unnest().
struct KeyArrays {
    ArrayLiteral jobs, channels, numbers;
    void add(const ChunkKey& key) {
        jobs.add(key.job);
        channels.add(static_cast<std::int64_t>(key.channel));
        numbers.add(key.number);
    }
};

/// The columns every claim returns.
constexpr std::string_view returning =
    " RETURNING c.job_id, c.channel, c.number, c.epoch, c.attempts, c.lane, c.on_doubt, "
    "j.state = 'cancelled', coalesce(j.expires_at <= app_now(), false), c.recipients, "
    "c.outcomes, c.reasons, c.provider_ids, c.account";

/// True for chunks whose reasons hold none of answer_lost, answer_unreadable, worker_lost.
constexpr std::string_view not_in_doubt =
    "(c.reasons IS NULL OR position('\\x07'::bytea IN c.reasons) "
    "+ position('\\x08'::bytea IN c.reasons) + position('\\x09'::bytea IN c.reasons) = 0)";

ChunkKey key_of(const pqxx::row& row) {
    return {row[0].c_str(), static_cast<Channel>(row[1].as<int>()), row[2].as<std::int32_t>()};
}

void read_ids(std::string_view literal, std::size_t count, std::vector<std::string>& ids) {
    postgres::TextArray array;
    postgres::parse_array(literal, array);
    ids.assign(array.elements.begin(), array.elements.end());
    if (ids.size() == 1) ids.assign(count, ids.front());
    ids.resize(count);
}

ClaimedChunk chunk_of(const pqxx::row& row) {
    ClaimedChunk chunk;
    chunk.key = key_of(row);
    chunk.epoch = row[3].as<std::int32_t>();
    chunk.lane = static_cast<Lane>(row[5].as<int>());
    chunk.on_doubt = static_cast<DoubtPolicy>(row[6].as<int>());
    chunk.job_cancelled = row[7].as<bool>();
    chunk.job_expired = row[8].as<bool>();
    chunk.recipients_literal.assign(row[9].c_str(), row[9].size());
    postgres::parse_array(chunk.recipients_literal, chunk.recipients);
    const auto count = chunk.recipients.elements.size();
    chunk.outcomes = row[10].is_null() ? std::string(count, '\0') : bytes_of(row[10].c_str());
    chunk.reasons = row[11].is_null() ? std::string(count, '\0') : bytes_of(row[11].c_str());
    chunk.attempts = row[4].is_null() ? std::string(count, '\0') : bytes_of(row[4].c_str());
    if (!row[12].is_null()) read_ids(row[12].c_str(), count, chunk.provider_ids);
    if (!row[13].is_null()) chunk.account.assign(row[13].c_str(), row[13].size());
    ensure(chunk.outcomes.size() == count && chunk.reasons.size() == count &&
               chunk.attempts.size() == count,
           "a chunk has one outcome, reason and count of attempts a recipient");
    return chunk;
}

std::vector<ClaimedChunk> chunks_of(const pqxx::result& rows) {
    std::vector<ClaimedChunk> chunks;
    chunks.reserve(rows.size());
    for (const auto& row : rows) chunks.push_back(chunk_of(row));
    return chunks;
}

/// One array literal a column of record_chunks().
struct RecordArrays {
    KeyArrays keys;
    ArrayLiteral epochs, states, waits, attempts, outcomes, reasons, ids, tallies, accounts;

    void add(const ChunkRecord& record) {
        keys.add(record.key);
        epochs.add(record.epoch);
        states.add(record.done ? "done" : "planned");
        waits.add(record.next_in.count());
        attempts.add(record.attempts.empty() ? std::string{} : hex_of(record.attempts));
        outcomes.add(hex_of(record.outcomes));
        reasons.add(record.reasons.empty() ? std::string{} : hex_of(record.reasons));
        ids.add(postgres::array_of(record.provider_ids));
        tallies.add(fmt::format("{{{}}}", fmt::join(tally_of(record.outcomes), ",")));
        accounts.add(record.account);
    }
};

}  // namespace

std::array<std::int32_t, outcome_count> tally_of(std::string_view outcomes) {
    std::array<std::int32_t, outcome_count> tally{};
    for (const char c : outcomes) {
        const auto code = static_cast<std::size_t>(c);
        ensure(code < outcome_count, "an outcome is one of the known ones");
        ++tally[code];
    }
    return tally;
}

std::vector<ClaimedChunk> claim_chunks(Connection& connection,
                                       std::span<const ClaimRequest> requests,
                                       std::chrono::milliseconds lease, std::int64_t token) {
    KeyArrays keys;
    ArrayLiteral accounts;
    for (const auto& request : requests) {
        keys.add(request.key);
        accounts.add(request.account);
    }
    pqxx::nontransaction work{connection.raw()};
    static const std::string sql = fmt::format(
        "WITH ours AS (SELECT c.job_id, c.channel, c.number, w.account "
        "  FROM unnest($1::uuid[], $2::smallint[], $3::int[], $6::text[]) "
        "    AS w(job_id, channel, number, account) "
        "  JOIN chunk c USING (job_id, channel, number) "
        "  WHERE (c.state = 'planned' AND c.next_at <= app_now()) "
        "     OR (c.state = 'claimed' AND c.claim_token = $5) "
        "  FOR UPDATE OF c SKIP LOCKED) "
        "UPDATE chunk c SET state = 'claimed', epoch = c.epoch + 1, claim_token = $5, "
        "  lease_until = app_now() + $4 * interval '1 ms', "
        "  account = CASE WHEN {} OR c.account IS NULL THEN ours.account ELSE c.account END "
        "FROM ours JOIN job j ON j.id = ours.job_id "
        "WHERE c.job_id = ours.job_id AND c.channel = ours.channel AND c.number = ours.number{}",
        not_in_doubt, returning);
    return chunks_of(work.exec_params(sql, keys.jobs.text(), keys.channels.text(),
                                      keys.numbers.text(), lease.count(), token, accounts.text()));
}

namespace {

std::vector<ChunkKey> write_records(pqxx::transaction_base& work,
                                    std::span<const ChunkRecord> records) {
    RecordArrays arrays;
    for (const auto& record : records) arrays.add(record);
    const auto rows = work.exec_params(
        "UPDATE chunk c SET state = w.state::chunk_state, lease_until = NULL, claim_token = NULL, "
        "  next_at = app_now() + w.wait * interval '1 ms', "
        "  publish_at = app_now() + w.wait * interval '1 ms', "
        "  outcomes = decode(substr(w.outcomes, 3), 'hex'), "
        "  reasons = CASE WHEN w.reasons <> '' THEN decode(substr(w.reasons, 3), 'hex') END, "
        "  attempts = CASE WHEN w.attempts <> '' THEN decode(substr(w.attempts, 3), 'hex') END, "
        "  provider_ids = nullif(w.ids, '{}')::text[], tally = w.tally::int[], "
        "  account = w.account, updated_at = app_now() "
        "FROM unnest($1::uuid[], $2::smallint[], $3::int[], $4::int[], $5::text[], $6::bigint[], "
        "  $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[]) "
        "  AS w(job_id, channel, number, epoch, state, wait, attempts, outcomes, reasons, ids, "
        "       tally, account) "
        "WHERE c.job_id = w.job_id AND c.channel = w.channel AND c.number = w.number "
        "  AND c.epoch = w.epoch AND c.state = 'claimed' "
        "RETURNING c.job_id, c.channel, c.number",
        arrays.keys.jobs.text(), arrays.keys.channels.text(), arrays.keys.numbers.text(),
        arrays.epochs.text(), arrays.states.text(), arrays.waits.text(), arrays.attempts.text(),
        arrays.outcomes.text(), arrays.reasons.text(), arrays.ids.text(), arrays.tallies.text(),
        arrays.accounts.text());
    std::vector<ChunkKey> written;
    for (const auto& row : rows) written.push_back(key_of(row));
    return written;
}

void add_fallback(pqxx::work& work, const ChunkKey& key, const FallbackChunk& fallback) {
    const auto size = static_cast<std::int32_t>(fallback.recipients.size());
    const auto added =
        work.exec_params(
                "INSERT INTO chunk (job_id, channel, number, on_doubt, lane, publish_at, size, "
                "recipients) VALUES ($1::uuid, $2, $3, $4, $5, app_now(), $6, $7::text[]) "
                "ON CONFLICT DO NOTHING",
                key.job, static_cast<int>(fallback.channel), key.number,
                static_cast<int>(fallback.on_doubt), static_cast<int>(fallback.lane), size,
                postgres::array_of(fallback.recipients))
            .affected_rows();
    if (added == 0) return;
    work.exec_params("UPDATE job SET planned[$2] = planned[$2] + $3 WHERE id = $1::uuid", key.job,
                     static_cast<int>(fallback.channel) + 1, size);
}

}  // namespace

std::vector<ChunkKey> record_chunks(Connection& connection, std::span<const ChunkRecord> records) {
    const bool plain = std::none_of(records.begin(), records.end(), [](const auto& record) {
        return record.fallback.has_value() || record.counted.count() > 0;
    });
    if (plain) {
        pqxx::nontransaction work{connection.raw()};
        return write_records(work, records);
    }
    pqxx::work work{connection.raw()};
    auto written = write_records(work, records);
    for (const auto& record : records) {
        const bool mine = std::find(written.begin(), written.end(), record.key) != written.end();
        if (mine && record.fallback) add_fallback(work, record.key, *record.fallback);
        if (mine && record.counted.count() > 0) settle_places(work, record.key, record.counted);
    }
    work.commit();
    return written;
}

std::vector<ClaimedChunk> take_over_stalled(Connection& connection, int limit,
                                            std::chrono::milliseconds lease) {
    pqxx::nontransaction work{connection.raw()};
    static const std::string sql = fmt::format(
        "WITH stalled AS (SELECT job_id, channel, number FROM chunk "
        "  WHERE state = 'claimed' AND lease_until < app_now() "
        "  ORDER BY lease_until LIMIT $1 FOR UPDATE SKIP LOCKED) "
        "UPDATE chunk c SET epoch = c.epoch + 1, claim_token = NULL, "
        "  lease_until = app_now() + $2 * interval '1 ms' "
        "FROM stalled s JOIN job j ON j.id = s.job_id "
        "WHERE c.job_id = s.job_id AND c.channel = s.channel AND c.number = s.number{}",
        returning);
    return chunks_of(work.exec_params(sql, limit, lease.count()));
}

std::vector<Overdue> take_overdue(Connection& connection, int limit,
                                  std::chrono::milliseconds republish_after) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "WITH overdue AS (SELECT job_id, channel, number FROM chunk "
        "  WHERE state = 'planned' AND publish_at <= app_now() AND next_at <= app_now() "
        "  ORDER BY publish_at LIMIT $1 FOR UPDATE SKIP LOCKED) "
        "UPDATE chunk c SET publish_at = app_now() + $2 * interval '1 ms' "
        "FROM overdue o "
        "WHERE c.job_id = o.job_id AND c.channel = o.channel AND c.number = o.number "
        "RETURNING c.job_id, c.channel, c.number, c.lane",
        limit, republish_after.count());
    std::vector<Overdue> overdue;
    for (const auto& row : rows) {
        overdue.push_back({key_of(row), static_cast<Lane>(row[3].as<int>())});
    }
    return overdue;
}

}  // namespace fanfare::ledger
