#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/vocabulary.hpp"
#include "core/ledger/addresses.hpp"
#include "core/postgres/connection.hpp"

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The ledger's chunks: claim, record, sweep. Functions block, throw what libpqxx throws,
/// and belong inside postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

/// Chunks that were split off others are numbered in here, over all channels of a job; the planner
/// leaves it out. Within what the smallest references can name.
inline constexpr std::int32_t split_begin = 1 << 21;
inline constexpr std::int32_t split_end = 1 << 22;

/// Names one chunk; what a descriptor on Kafka carries.
struct ChunkKey {
    std::string job;
    Channel channel = Channel::email;
    std::int32_t number = 0;
    auto operator<=>(const ChunkKey&) const = default;
};

/// A chunk wanted, and the account that is to serve it.
struct ClaimRequest {
    ChunkKey key;
    std::string account;
    auto operator<=>(const ClaimRequest&) const = default;
};

/// A claim of a chunk: ours until its lease runs out. Nothing of it changes meanwhile.
struct ChunkClaim {
    ChunkKey key;
    std::int32_t epoch = 0;
    std::int64_t token = 0;  // Of the claim: by it a late record is known after a takeover.
    Lane lane = Lane::normal;
    DoubtPolicy on_doubt = DoubtPolicy::hold;
    TimePoint job_created_at{};
    std::int32_t takeovers = 0;  // Leases that ran out in a row.
    std::int32_t failures = 0;   // Claims in a row that could not be prepared.
    std::string account;  // Must serve it: the one asked for, unless somebody's answer from an
                          // earlier one is still in doubt, which only that one may send again.
};

/// The people of a chunk and what is said of each; whether their job is over.
struct ChunkPeople {
    bool job_cancelled = false;
    bool job_expired = false;
    std::string recipients_literal;  // As PostgreSQL wrote it: passed back to contact queries.
    postgres::TextArray recipients;  // Sorted bytewise. Views into its own storage.
    std::string outcomes;            // One Outcome a recipient, always full length.
    std::string reasons;             // One Reason a recipient, always full length.
    std::string attempts;            // Counted attempts at each, always full length.
    std::string causes;  // One Reason behind the reason a recipient, always full length.
    std::vector<std::string> provider_ids;  // Empty, or one a recipient.
};

/// What a claim or a takeover gives.
struct ClaimedChunk : ChunkClaim, ChunkPeople {
    std::string begun;  // 1 where a request may have begun since the claim before, always full
                        // length; 1 for all where the claimer was a program that says nothing.
};

/// People of a settled chunk whom its channel could not reach, to be served on another: a new
/// chunk of that channel with the same number.
struct FallbackChunk {
    Channel channel = Channel::email;
    DoubtPolicy on_doubt = DoubtPolicy::hold;
    Lane lane = Lane::normal;
    std::vector<std::string> recipients;  // Sorted, distinct, not empty.
};

/// What is written of a chunk that stays claimed, before its next requests begin.
struct ChunkMark {
    ChunkKey key;
    std::int32_t epoch = 0;
    std::string outcomes;  // These five of full length: fates that are known already ...
    std::string reasons;
    std::string attempts;
    std::string causes;
    std::string begun;                      // ... and whose requests may have begun.
    std::vector<std::string> provider_ids;  // Empty: as they are. Else as in a record.
    std::string account;                    // That begins them; "": as it is.
    std::vector<NewSuppression>
        suppressions;  // Of its channel: what its provider has said of them.
};

/// What is written back.
struct ChunkRecord {
    ChunkKey key;
    std::int32_t epoch = 0;
    std::int64_t token = 0;                // The claim's.
    bool taken_over = false;               // By who took the chunk over from a lost worker.
    bool done = false;                     // Otherwise planned again ...
    std::chrono::milliseconds next_in{0};  // ... and claimable after this ...
    std::optional<TimePoint> not_before;   // ... and at this moment of the calendar.
    std::string outcomes;
    std::string reasons;                    // Full length, or "" when all are none.
    std::string attempts;                   // The same.
    std::string causes;                     // The same.
    std::int32_t failures = 0;              // Claims in a row that could not be prepared.
    std::vector<std::string> provider_ids;  // Empty, one for all, or one a recipient.
    std::string account;                    // "": as it is.
    std::optional<FallbackChunk> fallback;
    std::chrono::hours counted{0};  // The window of the kind's cap: who was told counts. 0: none.
    std::vector<NewSuppression> suppressions;  // As in a mark.
};

/// Provider ids, one a recipient, as they are stored: none, one for all, or as they are.
[[nodiscard]] std::vector<std::string> compact_ids(std::vector<std::string> ids);

/// How many of each outcome.
[[nodiscard]] std::array<std::int32_t, outcome_count> count_outcomes(std::string_view outcomes);

/// Claims those chunks that are planned and due; others (claimed, done, paused, locked by another
/// replica right now) are left out. `token` makes a repeat after a lost answer harmless.
/// `believed`: what time it is, as whoever asks knows it; where the database's clock shows another
/// one, nothing is claimed: the lease would end when nobody expects it.
[[nodiscard]] std::vector<ClaimedChunk> claim_chunks(Connection& connection,
                                                     std::span<const ClaimRequest> requests,
                                                     std::chrono::milliseconds lease,
                                                     std::int64_t token,
                                                     std::optional<TimePoint> believed = {});

/// What became of writing to several chunks. Who is in neither list has lost the chunk.
struct Written {
    std::vector<ChunkKey> keys;
    std::vector<ChunkKey> busy;       // Theirs, but somebody else has locked it just now.
    std::vector<ChunkKey> cancelled;  // Of `keys`: their job was cancelled meanwhile.
    std::vector<ChunkKey> paused;     // Of the marked among them: an operator holds them back.
};

/// Writes what is known before the next requests begin, fenced by epoch: what is missing in the
/// answer is somebody else's, and nothing of it may be begun. Claims and records clear `begun`.
/// Suppressions come into being in the same transaction, also those of a chunk that was lost: what
/// a provider says of an address is true whoever holds the chunk.
[[nodiscard]] Written mark_chunks(Connection& connection, std::span<const ChunkMark> marks);

/// Writes outcomes, fenced by epoch. What a takeover wrote without knowing is replaced by the late
/// record of the worker that lost the chunk, until somebody claims it anew; what is missing in the
/// answer has another word that counts. Fallback chunks of those written come into being in the
/// same transaction, so that no job is closed before them; so does what counts for a cap, and
/// suppressions as in mark_chunks().
[[nodiscard]] Written record_chunks(Connection& connection, std::span<const ChunkRecord> records);

/// Whether a sweep may find anything: a job that is not over, a receipt that came early, a
/// suppression of an older program. Succeeds only where chunks can be written just now; waits where
/// somebody has locked the table.
[[nodiscard]] bool has_work(Connection& connection);

/// Takes over chunks whose lease had run out when it was asked (their worker died or stalled). The
/// claim's token stays, for the record of a worker that still lives. `believed` as in a claim:
/// where the clock has jumped, leases that have ended say nothing.
[[nodiscard]] std::vector<ClaimedChunk> take_over_stalled(Connection& connection, int limit,
                                                          std::chrono::milliseconds lease,
                                                          std::optional<TimePoint> believed = {});

/// Claims chunks that wait though their job is over, cancelled or expired, whoever could have sent
/// them: for settling. Who lost one of them keeps its token, as in a takeover.
[[nodiscard]] std::vector<ClaimedChunk> claim_of_ended_jobs(Connection& connection, int limit,
                                                            std::chrono::milliseconds lease);

/// Room for chunks of one channel and lane.
struct Room {
    Channel channel = Channel::email;
    Lane lane = Lane::normal;
    std::int64_t chunks = 0;
};

/// Chunks that should have been claimed by now, the longest overdue first, as many as there is room
/// for; nobody else is given them for `again_after`. Paused jobs and kinds are passed over.
struct Overdue {
    ChunkKey key;
    Lane lane = Lane::normal;
};
[[nodiscard]] std::vector<Overdue> take_overdue(Connection& connection, std::span<const Room> rooms,
                                                std::chrono::milliseconds again_after);

}  // namespace fanfare::ledger
