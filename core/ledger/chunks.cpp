#include "core/ledger/chunks.hpp"

#include "core/error/failure.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>

#include <algorithm>

namespace fanfare::ledger {
namespace {

using postgres::append_element;

/// `bytes` as PostgreSQL reads a bytea.
void append_hex(std::string& out, std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    out.append("\\x");
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out.push_back(digits[byte >> 4]);
        out.push_back(digits[byte & 15]);
    }
}

std::string from_hex(std::string_view text) {
    const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string bytes;
    for (std::size_t i = 2; i + 1 < text.size(); i += 2) {
        bytes.push_back(static_cast<char>(value(text[i]) * 16 + value(text[i + 1])));
    }
    return bytes;
}

/// Three parallel array literals for unnest().
struct KeyArrays {
    std::string jobs{"{"}, channels{"{"}, numbers{"{"};
    void add(const ChunkKey& key) {
        append_element(jobs, key.job);
        append_element(channels, std::to_string(static_cast<int>(key.channel)));
        append_element(numbers, std::to_string(key.number));
    }
    void close() {
        for (auto* literal : {&jobs, &channels, &numbers}) literal->push_back('}');
    }
};

/// The columns every claim returns.
constexpr std::string_view returning =
    " RETURNING c.job_id, c.channel, c.number, c.epoch, c.attempt, c.lane, c.on_doubt, "
    "j.state = 'cancelled', coalesce(j.expires_at <= app_now(), false), c.recipients, "
    "c.outcomes, c.reasons, c.provider_ids";

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
    chunk.attempt = row[4].as<std::int32_t>();
    chunk.lane = static_cast<Lane>(row[5].as<int>());
    chunk.on_doubt = static_cast<DoubtPolicy>(row[6].as<int>());
    chunk.job_cancelled = row[7].as<bool>();
    chunk.job_expired = row[8].as<bool>();
    chunk.recipients_literal.assign(row[9].c_str(), row[9].size());
    postgres::parse_array(chunk.recipients_literal, chunk.recipients);
    const auto count = chunk.recipients.elements.size();
    chunk.outcomes = row[10].is_null() ? std::string(count, '\0') : from_hex(row[10].c_str());
    chunk.reasons = row[11].is_null() ? std::string(count, '\0') : from_hex(row[11].c_str());
    if (!row[12].is_null()) read_ids(row[12].c_str(), count, chunk.provider_ids);
    ensure(chunk.outcomes.size() == count && chunk.reasons.size() == count,
           "a chunk has one outcome and one reason a recipient");
    return chunk;
}

std::vector<ClaimedChunk> chunks_of(const pqxx::result& rows) {
    std::vector<ClaimedChunk> chunks;
    chunks.reserve(rows.size());
    for (const auto& row : rows) chunks.push_back(chunk_of(row));
    return chunks;
}

void append_ids(std::string& out, const std::vector<std::string>& ids) {
    std::string literal{"{"};
    for (const auto& id : ids) append_element(literal, id);
    literal.push_back('}');
    append_element(out, literal);
}

/// One array literal a column of record_chunks().
struct RecordArrays {
    KeyArrays keys;
    std::string epochs{"{"}, states{"{"}, waits{"{"}, attempts{"{"}, outcomes{"{"}, reasons{"{"},
        ids{"{"}, tallies{"{"}, accounts{"{"};

    void add(const ChunkRecord& record) {
        keys.add(record.key);
        append_element(epochs, std::to_string(record.epoch));
        append_element(states, record.done ? "done" : "planned");
        append_element(waits, std::to_string(record.next_in.count()));
        append_element(attempts, std::to_string(record.attempt));
        std::string hex;
        append_hex(hex, record.outcomes);
        append_element(outcomes, hex);
        hex.clear();
        if (!record.reasons.empty()) append_hex(hex, record.reasons);
        append_element(reasons, hex);
        append_ids(ids, record.provider_ids);
        append_element(tallies, fmt::format("{{{}}}", fmt::join(tally_of(record.outcomes), ",")));
        append_element(accounts, record.account);
    }
    void close() {
        keys.close();
        for (auto* literal : {&epochs, &states, &waits, &attempts, &outcomes, &reasons, &ids,
                              &tallies, &accounts}) {
            literal->push_back('}');
        }
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

std::vector<ClaimedChunk> claim_chunks(Connection& connection, std::span<const ChunkKey> keys,
                                       std::chrono::milliseconds lease, std::int64_t token) {
    KeyArrays arrays;
    for (const auto& key : keys) arrays.add(key);
    arrays.close();
    pqxx::nontransaction work{connection.raw()};
    static const std::string sql = fmt::format(
        "WITH ours AS (SELECT c.job_id, c.channel, c.number "
        "  FROM unnest($1::uuid[], $2::smallint[], $3::int[]) AS w(job_id, channel, number) "
        "  JOIN chunk c USING (job_id, channel, number) "
        "  WHERE (c.state = 'planned' AND c.next_at <= app_now()) "
        "     OR (c.state = 'claimed' AND c.claim_token = $5) "
        "  FOR UPDATE OF c SKIP LOCKED) "
        "UPDATE chunk c SET state = 'claimed', epoch = c.epoch + 1, claim_token = $5, "
        "  lease_until = app_now() + $4 * interval '1 ms' "
        "FROM ours JOIN job j ON j.id = ours.job_id "
        "WHERE c.job_id = ours.job_id AND c.channel = ours.channel AND c.number = ours.number{}",
        returning);
    return chunks_of(
        work.exec_params(sql, arrays.jobs, arrays.channels, arrays.numbers, lease.count(), token));
}

std::vector<ChunkKey> record_chunks(Connection& connection, std::span<const ChunkRecord> records) {
    RecordArrays arrays;
    for (const auto& record : records) arrays.add(record);
    arrays.close();
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "UPDATE chunk c SET state = w.state::chunk_state, lease_until = NULL, claim_token = NULL, "
        "  next_at = app_now() + w.wait * interval '1 ms', "
        "  publish_at = app_now() + w.wait * interval '1 ms', "
        "  attempt = w.attempt, outcomes = decode(substr(w.outcomes, 3), 'hex'), "
        "  reasons = CASE WHEN w.reasons <> '' THEN decode(substr(w.reasons, 3), 'hex') END, "
        "  provider_ids = nullif(w.ids, '{}')::text[], tally = w.tally::int[], "
        "  account = w.account, updated_at = app_now() "
        "FROM unnest($1::uuid[], $2::smallint[], $3::int[], $4::int[], $5::text[], $6::bigint[], "
        "  $7::int[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[]) "
        "  AS w(job_id, channel, number, epoch, state, wait, attempt, outcomes, reasons, ids, "
        "       tally, account) "
        "WHERE c.job_id = w.job_id AND c.channel = w.channel AND c.number = w.number "
        "  AND c.epoch = w.epoch AND c.state = 'claimed' "
        "RETURNING c.job_id, c.channel, c.number",
        arrays.keys.jobs, arrays.keys.channels, arrays.keys.numbers, arrays.epochs, arrays.states,
        arrays.waits, arrays.attempts, arrays.outcomes, arrays.reasons, arrays.ids, arrays.tallies,
        arrays.accounts);
    std::vector<ChunkKey> written;
    for (const auto& row : rows) written.push_back(key_of(row));
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
