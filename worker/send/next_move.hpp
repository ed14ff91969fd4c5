#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/vocabulary.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace fanfare {

/// How the people of a claimed chunk stand, taken together.
struct ChunkState {
    bool is_settled = false;         // Everybody's outcome is final.
    bool is_in_doubt = false;        // Somebody is to be tried again whose last answer was lost.
    bool waits_for_account = false;  // Somebody waits for an account that was at fault.
    bool has_progressed = false;     // Since the claim somebody came further.
    bool has_begun = false;          // Since the claim a request was begun.
    bool is_old = false;             // Its job is older than anybody waits (waits_at_most).
    std::int32_t failures = 0;       // Claims in a row before this one that failed.
};

/// What kept a chunk from being tried at all.
enum class Setback : std::uint8_t {
    none,
    job_away,        // The ledger did not say what its job is.
    not_configured,  // The job's system or kind is not configured here: any more, or not yet.
    system_away,     // The system's database cannot be asked.
    query_slow,      // The contact query took longer than a statement may.
    query_partial,   // It raises errors at so many people that to find them took all this turn.
    query_fails,     // It raises an error whoever is asked for.
    ledger_away,     // The ledger did not say who is suppressed.
    ledger_refuses,  // It refused the question.
    not_composed,    // A template fails that worked when the job was planned.
    not_split,       // Whether people left it for a chunk of their own, nobody knows.
};

/// What a move is decided by besides the people: what was done last, and how everything stands now.
struct Situation {
    enum class After : std::uint8_t {
        claim,    // Nothing yet.
        wait,     // Waited in place.
        setback,  // What kept it from being tried.
        pass,     // Everybody who is open was tried once.
        reroute,  // Another account was asked for.
    };
    After after = After::claim;
    Setback setback = Setback::none;
    std::chrono::milliseconds away_for{0};  // Until the system's database is asked again.

    std::chrono::milliseconds wait{0};  // Of the move before.
    bool is_held_back = false;          // An operator has paused job, kind, channel or account.
    bool is_stopping = false;           // The worker drains.
    bool is_lost = false;               // The ledger says that somebody else has the chunk.
    bool has_other_account = false;     // The other account that was asked for is in hand.

    // What the pass came to.
    std::int32_t passes = 0;    // Since the claim, this one included.
    std::int32_t attempts = 0;  // The most that anybody at whom it failed has used.
    std::chrono::milliseconds asked_to_wait{0};  // By the provider: the account, or an address.
    /// Nobody else is open but who is in their quiet hours: the first end of these.
    std::optional<TimePoint> quiet_until;

    // The account in hand.
    bool account_serves = true;  // It has served somebody since its last passing fault.
    bool account_is_usable = true;
    std::chrono::milliseconds account_unusable_for{0};
    std::chrono::milliseconds account_timeout{0};  // A request takes so long at most.
    std::chrono::milliseconds lease_left{0};

    // Between two tries: the first wait, the longest, and a number in [0, 1) that spreads them.
    std::chrono::milliseconds backoff_first{1'000};
    std::chrono::milliseconds backoff_max{300'000};
    double jitter = 0;
};

/// What is done next with a chunk.
struct Move {
    enum class Kind : std::uint8_t {
        try_all,  // Everybody who is open is tried once, by the account in hand.
        wait,     // In place, for `wait`; it stays ours.
        reroute,  // Another account is asked for what is left, and decided again.
        release,  // Back into the ledger: claimable after `wait`, by whoever comes.
        give_up,  // Nobody who is open is tried any more, because of `why`; and recorded.
        finish,   // Everybody's outcome is final: recorded.
        leave,    // Nothing is written: it is somebody else's, or its lease decides.
    };
    Kind kind = Kind::leave;
    std::chrono::milliseconds wait{0};  // Of a try: what was waited before it.
    std::int32_t failures = 0;  // Of a release: claims in a row that failed, this one included.
    Reason why = Reason::none;  // Of giving up.
    std::optional<TimePoint> not_before{};  // Of a release besides: people sleep until then.
    bool operator==(const Move&) const = default;
};

/// The next move with a claimed chunk: the rules of retry, doubt and reroute of the send stage, all
/// of them. Pure.
///
/// What one answer means for one person is outcome_rules.hpp's, what lifts a person's doubt
/// core/domain/doubt.hpp's; here is decided what follows for all of them together: whether they
/// are tried again, when, where, and by whom.
///
///   Retry    Who is open is tried again: here, while the wait is short and the lease lasts (then
///            nobody else has to claim the chunk), otherwise by whoever claims it after the wait.
///            Waits grow with the attempts of whoever has used most, with passes and claims that
///            brought nobody further, and are never shorter than the provider asked for. A claim
///            that failed through nobody's fault of its own is counted; in the end nobody waits.
///   Doubt    Somebody whose last answer was lost stays with the account that caused the doubt, as
///            only that one could hide a second message: no reroute while there is one. A chunk
///            that somebody else has is recorded all the same where something of it was begun:
///            nobody else knows what became of that.
///   Reroute  An account that cannot serve hands what is left to another one. Where there is none,
///            the chunk waits as long as the account does.
[[nodiscard]] Move next_move(const ChunkState& chunk, const Situation& now);

/// How long to wait after `attempts_used` counted attempts: doubling, with jitter in [0, 1)
/// adding up to half.
struct Backoff {
    std::chrono::milliseconds first{1'000};
    std::chrono::milliseconds max{300'000};
};
[[nodiscard]] std::chrono::milliseconds wait_after(const Backoff& backoff,
                                                   std::int32_t attempts_used, double jitter);

/// Longer than this nobody waits in a lane, which could serve another chunk meanwhile.
inline constexpr std::chrono::milliseconds in_place_wait_max{3'000};
/// What is left of a lease for recording.
inline constexpr std::chrono::milliseconds lease_reserve{5'000};
/// For how long nobody asks an account that refused us, or a ledger that is away.
inline constexpr std::chrono::milliseconds account_pause{30'000};
/// Who waits for an account without an end of their own waits a day, and a while after it.
inline constexpr std::chrono::hours waits_at_most{24};
inline constexpr std::int32_t failures_of_old_max = 20;
inline constexpr std::chrono::minutes configuration_wait_max{10};
/// With the default backoff eight minutes: a table that is renamed back costs nobody anything.
inline constexpr std::int32_t query_failures_max = 10;
/// Of what takes a moment only.
inline constexpr std::chrono::milliseconds short_wait{1'000};

}  // namespace fanfare
