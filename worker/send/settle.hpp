#pragma once

#include "core/settings/settings.hpp"
#include "worker/send/claim.hpp"
#include "worker/send/pass.hpp"
#include "worker/send/recipients.hpp"

#include <optional>
#include <vector>

namespace fanfare {

/// Leaves out devices whose fate was final before this pass. Who has none left, because two rows
/// had the same, or a row is gone, is what those devices came to.
void leave_out_served(const Recipients& people, Resolved& resolved);

/// Carries the fates of a pass into the recipients: final ones stand, recipients that were not
/// tried stay pending. A person with a device still open stays open, and their served devices are
/// remembered.
///
/// Counts the attempts that doubt has used up, one a person and pass. Returns the most that anybody
/// of them has used; 0: nobody did.
std::int32_t settle_pass(Recipients& people, Pass& pass);

/// The account has served somebody since: passing faults that counted against it are attempts of
/// those who met them, whose last it may have been. Returns the most that any of them has used up.
std::int32_t count_faults(Recipients& people, std::int32_t attempts_max);

/// True while somebody waits for an account that was at fault when they were tried.
[[nodiscard]] bool waits_for_account(const ledger::ChunkPeople& people);

/// Ends the waiting of everybody who is open, because of `why`. Of an account that was at fault for
/// too long (account_unusable) they keep what they met.
void give_up(ledger::ChunkPeople& people, Reason why);

/// At the end of a claim: who was told on one device counts as told, though another device
/// could not be served in time; a further claim would tell the first one again.
void close_told(Recipients& people);

/// Gives every recipient that is not final this fate, and keeps readable what they waited for.
/// Whoever is in doubt stays so (core/domain/doubt.hpp).
void settle_rest(ledger::ChunkPeople& people, Fate fate);

/// Ends what nobody is to hear of any more: the claim says that the job was cancelled, or that it
/// has expired by now. True when it did.
bool settle_over(ledger::ChunkPeople& people);

/// Its system or kind is not configured: everybody who is open waits for that.
void wait_for_configuration(ledger::ChunkPeople& people);

/// A chunk that took so many workers down in a row is given up. Whoever kills a worker brings all
/// its chunks here once more: those that only stood beside are claimed at other moments, and
/// begin to count anew when they are recorded.
inline constexpr std::int32_t takeovers_max = 20;

/// True when every recipient's outcome is final.
[[nodiscard]] bool is_settled(const ledger::ChunkPeople& people);

/// True while somebody is to be tried again whose last answer was lost.
[[nodiscard]] bool is_in_doubt(const ledger::ChunkPeople& people);

/// What a chunk is whose worker died or stalled: in doubt are those whose requests may have begun,
/// and what that means is the policy's to say. After takeovers_max in a row the others fail, too:
/// the next worker would die of it as well. True when it is settled.
bool settle_stalled(ledger::ClaimedChunk& chunk);

/// How long it waits for the next claim: ever longer, each chunk its own time, and where requests
/// may have begun as long as whoever lost it takes to record, at most a lease: until that claim
/// their word counts.
[[nodiscard]] std::chrono::milliseconds wait_of_stalled(const ledger::ClaimedChunk& chunk,
                                                        const WorkerSettings& settings);

/// Devices of each person in the requests of a pass.
struct DeviceCounts {
    std::vector<std::uint16_t> begun;    // Under way, or about to begin ...
    std::vector<std::uint16_t> open_to;  // ... and all of which nothing is known yet.
};

/// The mark before the next requests begin: what is known of everybody and of dead addresses by
/// now, and who has devices in requests that are under way or begin next.
[[nodiscard]] ledger::ChunkMark to_mark(const ledger::ChunkClaim& claim, const Recipients& people,
                                        const std::vector<Fate>& fates,
                                        const DeviceCounts& devices);

/// Those whom the channel cannot reach (no address, or none that is alive), for the channel that
/// the kind turns to; nothing when the job is over. For whoever settles the chunk.
[[nodiscard]] std::optional<ledger::FallbackChunk> to_fallback(const ledger::ChunkClaim& claim,
                                                               const ledger::ChunkPeople& people,
                                                               const JobContext& job,
                                                               const WorkerSettings& settings);

/// The window in which who was told counts for the kind's cap; 0: it has none. Of a kind that is no
/// longer configured (null) nobody knows, and the longest there is is taken.
[[nodiscard]] std::chrono::hours counted_window(const JobContext* job);

/// The record of a chunk as it stands. One provider id for all is stored once.
[[nodiscard]] ledger::ChunkRecord to_record(const ledger::ChunkClaim& claim,
                                            ledger::ChunkPeople& people, std::string account,
                                            std::chrono::milliseconds next_in);

}  // namespace fanfare
