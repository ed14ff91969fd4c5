#pragma once

#include "core/domain/vocabulary.hpp"
#include "tests/simulation/chaos.hpp"
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
    wipe,       // All topics are empty.
};
inline constexpr std::array<std::string_view, 9> move_names{
    "crash", "pause", "cancel", "hold", "replay", "leave", "rebalance", "repeat", "wipe"};

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
    Odds odds{};
    Plant plant = Plant::none;
    std::vector<Move> moves;

    [[nodiscard]] std::size_t count(MoveKind kind) const;
};

/// The world of a seed: small, and of every kind.
[[nodiscard]] WorldPlan plan_of(std::uint64_t seed, Plant plant = Plant::none);

/// Adds so many moves of a kind, by the plan's seed.
void add_moves(WorldPlan& plan, MoveKind kind, std::size_t count);

/// One line each, for a person.
[[nodiscard]] std::string describe(const WorldPlan& plan);

}  // namespace fanfare::simulation
