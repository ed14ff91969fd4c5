// Who may send to whom: the statements that hand a chunk from one worker to the next.
//
// A lock would end with its connection, and a worker that is only slow would go on sending. A
// partition of Kafka has an owner, but who was owner a moment ago has requests under way. So the
// right to a chunk is a row: state, a lease, and an epoch that each claim and each takeover
// raises. Marks and records (records.cpp) name their epoch and change nothing when it is not the
// row's. Any number of workers may hold the same descriptor: one claim succeeds, the others find
// nothing.
//
// What the statements take care of:
//
// - A claim whose answer was lost is made again with the same token and finds its own chunks;
//   before the answer nothing can have begun, so nobody is in doubt.
// - Whoever is in doubt binds the chunk to its account: the claim takes the claimer's account
//   only where no reason and no cause is a doubt.
// - Rows that somebody else has locked are skipped: no worker waits for another one, and a row
//   that a person has locked in a session of theirs holds up nobody but itself.
// - Keys come as arrays, and the rows are found by the primary key through a materialised list:
//   the planner of PostgreSQL, asked while nothing was open, would walk all open chunks for each
//   claim.
// - A lease is over when it was over when the statement was asked, not when it got its turn:
//   while the table was locked nobody could record either.
// - Who asks says what time it is. A clock that has jumped a moment ago ends no lease that runs,
//   and begins none that is over as soon as the clock is set right.
//
// What is in a row is one byte a person in each column, in the order of the recipients; null
// where no byte says anything. See docs/decisions/0001, 0006 and 0011.
#include "core/ledger/chunks.hpp"

#include "core/error/failure.hpp"
#include "core/ledger/bytea.hpp"
#include "core/ledger/chunk_rows.hpp"
#include "core/ledger/clock.hpp"
#include "core/ledger/pauses.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>

#include <algorithm>

namespace fanfare::ledger {
namespace {

using postgres::ArrayLiteral;

/// The columns every claim returns.
constexpr std::string_view returning =
    " RETURNING c.job_id, c.channel, c.number, c.epoch, c.attempts, c.lane, c.on_doubt, "
    "j.state = 'cancelled', coalesce(j.expires_at <= app_now(), false), c.recipients, "
    "c.outcomes, c.reasons, c.provider_ids, c.account, c.claim_token, c.causes, c.begun, "
    "c.marked_epoch IS NOT DISTINCT FROM c.epoch, c.takeovers, c.failures, "
    "extract(epoch FROM j.created_at)::bigint";

/// True for chunks whose `column` holds none of answer_lost, answer_unreadable, worker_lost.
std::string no_doubt_in(std::string_view column) {
    return fmt::format(
        "({0} IS NULL OR position('\\x07'::bytea IN {0}) + position('\\x08'::bytea IN {0}) "
        "+ position('\\x09'::bytea IN {0}) = 0)",
        column);
}

/// What a takeover leaves of a claim: it counts as marked, if it was, and keeps its token.
constexpr std::string_view take_over_sql =
    "epoch = c.epoch + 1, "
    "marked_epoch = CASE WHEN c.marked_epoch = c.epoch THEN c.epoch + 1 END, "
    "lease_until = app_now() + $2 * interval '1 ms'";

ClaimedChunk read_chunk(const pqxx::row& row) {
    ClaimedChunk chunk;
    chunk.key = read_key(row);
    chunk.epoch = row[3].as<std::int32_t>();
    chunk.lane = static_cast<Lane>(row[5].as<int>());
    chunk.on_doubt = static_cast<DoubtPolicy>(row[6].as<int>());
    chunk.job_cancelled = row[7].as<bool>();
    chunk.job_expired = row[8].as<bool>();
    chunk.recipients_literal.assign(row[9].c_str(), row[9].size());
    postgres::parse_array(chunk.recipients_literal, chunk.recipients);
    const auto count = chunk.recipients.elements.size();
    chunk.outcomes = bytes_or_zeros(row[10], count);
    chunk.reasons = bytes_or_zeros(row[11], count);
    chunk.attempts = bytes_or_zeros(row[4], count);
    chunk.causes = bytes_or_zeros(row[15], count);
    const bool says_what_began = row[17].as<bool>();
    chunk.begun = says_what_began ? bytes_or_zeros(row[16], count) : std::string(count, '\1');
    chunk.takeovers = row[18].as<std::int32_t>();
    chunk.failures = row[19].as<std::int32_t>();
    chunk.job_created_at = TimePoint{std::chrono::seconds{row[20].as<std::int64_t>()}};
    if (!row[12].is_null()) chunk.provider_ids = ids_or_none(row[12], count);
    if (!row[13].is_null()) chunk.account.assign(row[13].c_str(), row[13].size());
    if (!row[14].is_null()) chunk.token = row[14].as<std::int64_t>();
    for (const auto* const bytes :
         {&chunk.outcomes, &chunk.reasons, &chunk.attempts, &chunk.causes, &chunk.begun}) {
        ensure(bytes->size() == count, "what a chunk holds is one byte a recipient");
    }
    return chunk;
}

std::vector<ClaimedChunk> read_chunks(const pqxx::result& rows) {
    std::vector<ClaimedChunk> chunks;
    chunks.reserve(rows.size());
    for (const auto& row : rows) chunks.push_back(read_chunk(row));
    return chunks;
}

}  // namespace

ChunkKey read_key(const pqxx::row& row) {
    return {row[0].c_str(), static_cast<Channel>(row[1].as<int>()), row[2].as<std::int32_t>()};
}

std::string bytes_or_zeros(const pqxx::field& field, std::size_t count) {
    return field.is_null() ? std::string(count, '\0') : decode_bytea(field.c_str());
}

std::vector<std::string> ids_or_none(const pqxx::field& field, std::size_t count) {
    std::vector<std::string> ids;
    if (!field.is_null()) {
        postgres::TextArray array;
        postgres::parse_array(field.c_str(), array);
        ids.assign(array.elements.begin(), array.elements.end());
        if (ids.size() == 1) ids.assign(count, ids.front());
    }
    ids.resize(count);
    return ids;
}

std::string hex_or_none(std::string_view bytes) {
    const bool says_something =
        std::any_of(bytes.begin(), bytes.end(), [](char c) { return c != '\0'; });
    return says_something ? encode_bytea(bytes) : std::string{};
}

std::vector<std::string> compact_ids(std::vector<std::string> ids) {
    const auto first =
        std::find_if(ids.begin(), ids.end(), [](const auto& id) { return !id.empty(); });
    if (first == ids.end()) return {};
    const bool one_for_all = std::all_of(
        ids.begin(), ids.end(), [&](const auto& id) { return id.empty() || id == *first; });
    if (!one_for_all) return ids;
    return {std::string{*first}};
}

std::array<std::int32_t, outcome_count> count_outcomes(std::string_view outcomes) {
    std::array<std::int32_t, outcome_count> tally{};
    for (const char c : outcomes) {
        const auto code = static_cast<unsigned char>(c);
        ensure(code < outcome_count, "an outcome is one of the known ones");
        ++tally[code];
    }
    return tally;
}

std::vector<ClaimedChunk> claim_chunks(Connection& connection,
                                       std::span<const ClaimRequest> requests,
                                       std::chrono::milliseconds lease, std::int64_t token,
                                       std::optional<TimePoint> believed) {
    KeyArrays keys;
    ArrayLiteral accounts;
    for (const auto& request : requests) {
        keys.add(request.key);
        accounts.add(request.account);
    }
    pqxx::nontransaction work{connection.raw()};
    // Claimed with the same token: the answer to it was lost, so nothing can have begun.
    static const std::string serving = fmt::format(
        "CASE WHEN ({} AND {}) OR coalesce(c.account, '') = '' THEN ours.account "
        "ELSE c.account END",
        no_doubt_in("c.reasons"), no_doubt_in("c.causes"));
    static const std::string sql = fmt::format(
        "WITH ours AS MATERIALIZED (SELECT w.* "
        "  FROM unnest($1::uuid[], $2::smallint[], $3::int[], $6::text[]) "
        "    AS w(job_id, channel, number, account) " FANFARE_ROW_OF_W(
            "k.state, k.next_at, k.claim_token", "FOR UPDATE SKIP LOCKED")
        "  WHERE CASE c.state WHEN 'planned' THEN c.next_at <= app_now() "
        "   WHEN 'claimed' THEN c.claim_token = $5 ELSE false END AND {2}) "
        "UPDATE chunk c SET state = 'claimed', epoch = c.epoch + 1, claim_token = $5, "
        "  marked_epoch = c.epoch + 1, begun = CASE WHEN c.state = 'claimed' THEN c.begun END, "
        "  lease_until = app_now() + $4 * interval '1 ms', "
        "  account = {0} FROM ours JOIN job j ON j.id = ours.job_id "
        "WHERE " FANFARE_KEYS_EQUAL("c", "ours") 
        // What a lost answer claimed is taken all the same: its mark tells of the pause.
        "AND (c.state = 'claimed' OR NOT " FANFARE_PAUSED("c.job_id", "c.channel", "{0}") ") {1}",
        serving, returning, clock_shows("$7::text"));
    return read_chunks(connection.exec_prepared(work, sql, keys.jobs.text(), keys.channels.text(),
                                                keys.numbers.text(), lease.count(), token,
                                                accounts.text(), moment_parameter(believed)));
}

bool has_work(Connection& connection) {
    pqxx::nontransaction work{connection.raw()};
    // Takes the lock that whoever records takes, and writes nothing.
    return connection
        .exec_prepared(
            work,
            "WITH locked AS (UPDATE chunk SET epoch = epoch WHERE false) "
            "SELECT EXISTS (SELECT FROM job WHERE state IN ('planning', 'sending')) "
            "OR EXISTS (SELECT FROM job WHERE state = 'cancelled' AND settled_at IS NULL) "
            "OR EXISTS (SELECT FROM early_receipt) "
            "OR EXISTS (SELECT FROM suppression WHERE compared IS NULL) "
            "OR EXISTS (SELECT FROM opt_out WHERE address_due_at <= app_now())")[0][0]
        .as<bool>();
}

std::vector<ClaimedChunk> take_over_stalled(Connection& connection, int limit,
                                            std::chrono::milliseconds lease,
                                            std::optional<TimePoint> believed) {
    // now(): when it was asked. While it waited for a lock nobody could record either. So it is not
    // prepared: that would wait in a transaction of its own.
    static const std::string sql = fmt::format(
        "WITH stalled AS MATERIALIZED (SELECT job_id, channel, number FROM chunk "
        "  WHERE state = 'claimed' AND lease_until < app_now() - (clock_timestamp() - now()) AND "
        "{} "
        "  ORDER BY lease_until LIMIT $1 FOR UPDATE SKIP LOCKED) "
        "UPDATE chunk c SET {}, takeovers = least(c.takeovers + 1, 1000) "
        "FROM stalled s JOIN job j ON j.id = s.job_id "
        "WHERE " FANFARE_KEYS_EQUAL("c", "s") "{}",
        clock_shows("$3::text"), take_over_sql, returning);
    pqxx::nontransaction work{connection.raw()};
    return read_chunks(work.exec_params(sql, limit, lease.count(), moment_parameter(believed)));
}

std::vector<ClaimedChunk> claim_of_ended_jobs(Connection& connection, int limit,
                                              std::chrono::milliseconds lease) {
    static const std::string sql = fmt::format(
        "WITH ours AS MATERIALIZED (SELECT c.job_id, c.channel, c.number FROM ("
        "  SELECT id FROM job WHERE state = 'cancelled' AND settled_at IS NULL UNION ALL "
        "  SELECT id FROM job WHERE state IN ('planning', 'sending') AND expires_at <= app_now()) "
        "j "
        "  CROSS JOIN LATERAL (SELECT k.job_id, k.channel, k.number FROM chunk k "
        "   WHERE k.job_id = j.id AND k.state = 'planned' LIMIT $1 FOR UPDATE SKIP LOCKED) c "
        "  LIMIT $1) "
        // Nothing of what waits is under way: whoever takes this over doubts nobody.
        "UPDATE chunk c SET state = 'claimed', epoch = c.epoch + 1, marked_epoch = c.epoch + 1, "
        "  begun = NULL, lease_until = app_now() + $2 * interval '1 ms' "
        "FROM ours o JOIN job j ON j.id = o.job_id "
        "WHERE " FANFARE_KEYS_EQUAL("c", "o") "{}",
        returning);
    pqxx::nontransaction work{connection.raw()};
    return read_chunks(connection.exec_prepared(work, sql, limit, lease.count()));
}

std::vector<Overdue> take_overdue(Connection& connection, std::span<const Room> rooms,
                                  std::chrono::milliseconds again_after) {
    ArrayLiteral channels;
    ArrayLiteral lanes;
    ArrayLiteral chunks;
    for (const auto& room : rooms) {
        channels.add(static_cast<std::int64_t>(room.channel));
        lanes.add(static_cast<std::int64_t>(room.lane));
        chunks.add(room.chunks);
    }
    pqxx::nontransaction work{connection.raw()};
    const auto rows = connection.exec_prepared(
        work,
        "WITH held AS MATERIALIZED ("
        "  SELECT CASE p.what WHEN 'job' THEN p.name::uuid END AS id FROM pause p "
        "  WHERE p.what = 'job' AND is_in_force(p) UNION ALL "
        "  SELECT j.id FROM job j WHERE (SELECT EXISTS (SELECT FROM pause WHERE what = 'kind')) "
        "  AND j.state IN ('planning', 'sending') AND EXISTS ("
        "   SELECT FROM pause p WHERE p.what = 'kind' AND p.name = j.system || '/' || j.kind "
        "   AND is_in_force(p))), "
        "overdue AS MATERIALIZED (SELECT c.job_id, c.channel, c.number "
        "  FROM unnest($1::smallint[], $2::smallint[], $3::bigint[]) AS w(channel, lane, chunks) "
        "  CROSS JOIN LATERAL (SELECT k.job_id, k.channel, k.number FROM chunk k "
        "   WHERE k.channel = w.channel AND k.lane = w.lane AND k.state = 'planned' "
        "   AND k.publish_at <= app_now() AND k.next_at <= app_now() "
        "   AND k.job_id NOT IN (SELECT id FROM held) "
        "   ORDER BY k.publish_at LIMIT w.chunks FOR UPDATE SKIP LOCKED) c) "
        "UPDATE chunk c SET publish_at = app_now() + $4 * interval '1 ms' "
        "FROM overdue o WHERE " FANFARE_KEYS_EQUAL(
            "c", "o") "RETURNING c.job_id, c.channel, c.number, c.lane",
        channels.text(), lanes.text(), chunks.text(), again_after.count());
    std::vector<Overdue> overdue;
    for (const auto& row : rows) {
        overdue.push_back({read_key(row), static_cast<Lane>(row[3].as<int>())});
    }
    return overdue;
}

}  // namespace fanfare::ledger
