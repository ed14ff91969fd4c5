#pragma once

#include "core/domain/vocabulary.hpp"
#include "tests/simulation/chaos.hpp"
#include "tests/simulation/nights.hpp"
#include "tests/simulation/plants.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::simulation {

enum class MoveKind : std::uint8_t {
    crash,      // A worker ends at some await, and another begins after a while.
    pause,      // A worker stands still past its lease.
    cancel,     // A job.
    hold,       // An operator pauses a job for a while.
    replay,     // A job's failed and unknown people are served once more.
    leave,      // Somebody unsubscribes.
    rebalance,  // Partitions go to other workers.
    repeat,     // A job is published once more.
    wipe,       // Topics are empty: all of them, or those of jobs or of chunks.
    clock,      // The clock of the ledger jumps, and comes back or is right from then on.
    machine,    // The calendar of a worker's machine jumps, for good.
    reload,     // Accounts have other limits, and each worker reads that in its own time.
    rotate,     // An account has another credential, and the old one is worth nothing soon.
    drain,      // A worker is told to end, and does; another begins after a while.
    outage,     // The ledger is away for everybody, some times for longer than a lease.
    storm,      // An account answers nobody well for a while.
};
inline constexpr std::array<std::string_view, 16> move_names{
    "crash", "pause", "cancel",  "hold",   "replay", "leave", "rebalance", "repeat",
    "wipe",  "clock", "machine", "reload", "rotate", "drain", "outage",    "storm"};

/// Something that happens to a world: so many steps after a moment.
struct Move {
    MoveKind kind = MoveKind::crash;
    std::chrono::milliseconds at{0};
    std::uint64_t steps = 0;
    std::uint64_t which = 0;             // Worker, job or person, counted round.
    std::chrono::milliseconds lasts{0};  // Pauses; or until a worker comes back.
};

/// What one world is made of.
struct WorldPlan {
    std::uint64_t seed = 1;
    DoubtPolicy on_doubt = DoubtPolicy::hold;
    std::size_t jobs = 1, chunks = 6, people = 12;  // Chunks a job, people a chunk.
    std::size_t devices = 1, batch = 1, accounts = 1, workers = 2;
    double per_second = 40;                      // Of each account.
    std::chrono::milliseconds expires_after{0};  // 0: never.
    std::size_t cursed = 0;                      // People of whom the provider never answers.
    std::size_t at_most = 0;  // Jobs that may tell one person; 0: any number. Jobs share people.
    bool turns = false;       // To e-mail, whom push cannot reach.
    Nights::Rule nights = Nights::Rule::none;
    std::chrono::milliseconds wakes_after{0};  // The first of those who sleep ...
    bool wake_at_once = false;                 // ... and all others.
    Odds odds{};
    Plant plant = Plant::none;
    std::vector<Move> moves;

    [[nodiscard]] std::size_t count(MoveKind kind) const;
    /// Clocks are not what they seem: workers ask the ledger for the time.
    [[nodiscard]] bool has_clocks() const;
    [[nodiscard]] bool has_reloads() const;
    [[nodiscard]] Nights sleepers() const;
};

/// The world of a seed: small, and of every kind.
[[nodiscard]] WorldPlan plan_of(std::uint64_t seed, Plant plant = Plant::none);

/// Adds so many moves of a kind, by the plan's seed.
void add_moves(WorldPlan& plan, MoveKind kind, std::size_t count);

/// One line each, for a person.
[[nodiscard]] std::string describe(const WorldPlan& plan);

}  // namespace fanfare::simulation
