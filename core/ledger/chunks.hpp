#pragma once

#include "core/domain/words.hpp"
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

/// A chunk that is ours until its lease runs out.
struct ClaimedChunk {
    ChunkKey key;
    std::int32_t epoch = 0;
    Lane lane = Lane::normal;
    DoubtPolicy on_doubt = DoubtPolicy::hold;
    bool job_cancelled = false;
    bool job_expired = false;
    std::string recipients_literal;  // As PostgreSQL wrote it: passed back to contact queries.
    postgres::TextArray recipients;  // Sorted bytewise. Views into its own storage.
    std::string outcomes;            // One Outcome a recipient, always full length.
    std::string reasons;             // One Reason a recipient, always full length.
    std::string attempts;            // Counted attempts at each, always full length.
    std::vector<std::string> provider_ids;  // Empty, or one a recipient.
    std::string account;  // Must serve it: the one asked for, unless somebody's answer from an
                          // earlier one is still in doubt, which only that one may send again.
};

/// People of a settled chunk whom its channel could not reach, to be served on another: a new
/// chunk of that channel with the same number.
struct FallbackChunk {
    Channel channel = Channel::email;
    DoubtPolicy on_doubt = DoubtPolicy::hold;
    Lane lane = Lane::normal;
    std::vector<std::string> recipients;  // Sorted, distinct, not empty.
};

/// What is written back.
struct ChunkRecord {
    ChunkKey key;
    std::int32_t epoch = 0;
    bool done = false;                     // Otherwise planned again ...
    std::chrono::milliseconds next_in{0};  // ... and claimable after this.
    std::string outcomes;
    std::string reasons;                    // "" when all are none.
    std::string attempts;                   // "" when all are 0.
    std::vector<std::string> provider_ids;  // Empty, one for all, or one a recipient.
    std::string account;
    std::optional<FallbackChunk> fallback;
    std::chrono::hours counted{0};  // The window of the kind's cap: who was told counts. 0: none.
};

/// How many of each outcome.
[[nodiscard]] std::array<std::int32_t, outcome_count> tally_of(std::string_view outcomes);

/// Claims those chunks that are planned and due; others (claimed, done, locked by another
/// replica right now) are left out. `token` makes a repeat after a lost answer harmless.
[[nodiscard]] std::vector<ClaimedChunk> claim_chunks(Connection& connection,
                                                     std::span<const ClaimRequest> requests,
                                                     std::chrono::milliseconds lease,
                                                     std::int64_t token);

/// Writes outcomes, fenced by epoch; returns the keys that were written. What is missing was
/// taken over by somebody else, whose word counts. Fallback chunks of those written come into
/// being in the same transaction, so that no job is closed before them; so does what counts for a
/// cap.
[[nodiscard]] std::vector<ChunkKey> record_chunks(Connection& connection,
                                                  std::span<const ChunkRecord> records);

/// Takes over chunks whose lease ran out (their worker died or stalled).
[[nodiscard]] std::vector<ClaimedChunk> take_over_stalled(Connection& connection, int limit,
                                                          std::chrono::milliseconds lease);

/// Chunks that should have been claimed by now: their descriptors go out again.
struct Overdue {
    ChunkKey key;
    Lane lane = Lane::normal;
};
[[nodiscard]] std::vector<Overdue> take_overdue(Connection& connection, int limit,
                                                std::chrono::milliseconds republish_after);

}  // namespace fanfare::ledger
