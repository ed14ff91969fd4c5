#pragma once

#include "worker/send/flight.hpp"

namespace fanfare {

/// Writes the fates of a pass into the chunk's outcomes and reasons: final ones stand,
/// recipients that were not tried stay pending. A person with a device still open stays open,
/// and their served devices are remembered.
///
/// Counts the attempts that failed, one a person and pass. Returns the most that anybody who
/// failed in this pass has used up; 0: nobody did.
std::int32_t settle_pass(Work& work);

/// At the end of a claim: who was told on one device counts as told, though another device
/// could not be served in time; a further claim would tell the first one again.
void close_told(Work& work);

/// Gives every recipient that is not final this fate. Whoever is in doubt stays so: unknown, and
/// what would have been their fate is the cause.
void settle_rest(ledger::ClaimedChunk& chunk, Fate fate);

/// True when every recipient's outcome is final.
[[nodiscard]] bool is_settled(const ledger::ClaimedChunk& chunk);

/// True while somebody is to be tried again whose last answer was lost.
[[nodiscard]] bool is_in_doubt(const ledger::ClaimedChunk& chunk);

/// What a stalled chunk becomes under its policy: `resend` plans it again, the others say
/// that nobody knows. True when it is settled.
bool settle_stalled(ledger::ClaimedChunk& chunk);

/// Those whom the channel cannot reach (no address, or none that is alive), for the channel that
/// the kind turns to; nothing when the job is over. For whoever settles the chunk.
[[nodiscard]] std::optional<ledger::FallbackChunk> fallback_of(const ledger::ClaimedChunk& chunk,
                                                               const JobContext& job,
                                                               const WorkerSettings& settings);

/// The record of a chunk as it stands. One provider id for all is stored once.
[[nodiscard]] ledger::ChunkRecord record_of(ledger::ClaimedChunk& chunk, std::string account,
                                            std::chrono::milliseconds next_in);

}  // namespace fanfare
