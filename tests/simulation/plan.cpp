#include "tests/simulation/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare::simulation {
namespace {

constexpr std::uint64_t moves_within_ms = 9'000;

/// Mostly nothing of it, sometimes much.
void draw_odds(Dice& dice, Odds& odds) {
    odds = calm;
    if (dice.hits(100)) return;
    struct Draw {
        std::uint32_t Odds::*value;
        std::uint32_t base;
    };
    constexpr std::array<Draw, 15> draws{{
        {&Odds::lost_question, 6},
        {&Odds::lost_answer, 8},
        {&Odds::slow_query, 3},
        {&Odds::late, 30},
        {&Odds::throttled, 15},
        {&Odds::refused, 20},
        {&Odds::passing, 20},
        {&Odds::broken, 20},
        {&Odds::gateway, 15},
        {&Odds::unreadable, 10},
        {&Odds::never, 10},
        {&Odds::unreachable, 10},
        {&Odds::receipts, 150},
        {&Odds::repeated, 100},
        {&Odds::swapped, 100},
    }};
    for (const auto& draw : draws) {
        if (dice.hits(500))
            odds.*draw.value = draw.base * (1 + static_cast<std::uint32_t>(dice.below(4)));
    }
}

std::chrono::milliseconds draw_length(Dice& dice, MoveKind kind) {
    if (kind == MoveKind::crash) return dice.between(100, 15'000);
    if (kind == MoveKind::pause) return dice.between(15'000, 40'000);
    if (kind == MoveKind::hold) return dice.between(2'000, 12'000);
    return {};
}

void add(WorldPlan& plan, Dice& dice, MoveKind kind, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        Move move{kind, dice.between(0, moves_within_ms), dice.below(40), dice.word() >> 1U, {}};
        move.lasts = draw_length(dice, kind);
        // People who leave do so early: what is told long after is a fault.
        if (kind == MoveKind::leave) move.at /= 10;
        plan.moves.push_back(move);
    }
    std::stable_sort(plan.moves.begin(), plan.moves.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
}

}  // namespace

std::size_t WorldPlan::count(MoveKind kind) const {
    return static_cast<std::size_t>(std::count_if(
        moves.begin(), moves.end(), [kind](const auto& m) { return m.kind == kind; }));
}

void add_moves(WorldPlan& plan, MoveKind kind, std::size_t count) {
    Dice dice{plan.seed * 31 + static_cast<std::uint64_t>(kind)};
    add(plan, dice, kind, count);
}

WorldPlan plan_of(std::uint64_t seed, Plant plant) {
    WorldPlan plan;
    plan.seed = seed;
    plan.plant = plant;
    Dice dice{seed * 0x2545f4914f6cdd1dU + 1};
    const auto policy = dice.below(100);
    plan.on_doubt = policy < 50   ? DoubtPolicy::hold
                    : policy < 85 ? DoubtPolicy::resend
                                  : DoubtPolicy::reconcile;
    plan.jobs = dice.hits(400) ? 2 : 1;
    plan.chunks = 1 + dice.below(4);
    plan.people = 2 + dice.below(9);
    plan.devices = dice.hits(200) ? 2 : 1;
    plan.batch = dice.hits(400) ? 4 : 1;
    plan.accounts = dice.hits(400) ? 2 : 1;
    plan.workers = 1 + dice.below(3);
    plan.per_second = static_cast<double>(10 + dice.below(90));
    if (dice.hits(150)) plan.expires_after = dice.between(1'000, 12'000);
    if (dice.hits(150)) plan.cursed = 1;
    draw_odds(dice, plan.odds);
    struct Draw {
        MoveKind kind;
        std::uint32_t chance;
        std::uint64_t most;
    };
    constexpr std::array<Draw, 9> draws{{{MoveKind::crash, 500, 3},
                                         {MoveKind::pause, 300, 2},
                                         {MoveKind::cancel, 200, 1},
                                         {MoveKind::hold, 200, 1},
                                         {MoveKind::replay, 250, 2},
                                         {MoveKind::leave, 250, 3},
                                         {MoveKind::rebalance, 250, 2},
                                         {MoveKind::repeat, 250, 2},
                                         {MoveKind::wipe, 100, 1}}};
    for (const auto& draw : draws) {
        if (dice.hits(draw.chance)) add(plan, dice, draw.kind, 1 + dice.below(draw.most));
    }
    return plan;
}

std::string describe(const WorldPlan& plan) {
    auto text = fmt::format(
        "policy {}: {} jobs of {} chunks of {} people with {} devices; {} workers, {} accounts of "
        "{}/s, {} people a request",
        to_string(plan.on_doubt), plan.jobs, plan.chunks, plan.people, plan.devices, plan.workers,
        plan.accounts, plan.per_second, plan.batch);
    if (plan.expires_after.count() > 0) {
        text += fmt::format("; jobs expire after {} ms", plan.expires_after.count());
    }
    if (plan.cursed > 0) text += fmt::format("; of {} people no answer ever comes", plan.cursed);
    text += "\n  of a thousand:";
    for (const auto& odds : all_odds) {
        if (plan.odds.*odds.value > 0)
            text += fmt::format(" {} {}", odds.name, plan.odds.*odds.value);
    }
    for (const auto& move : plan.moves) {
        text += fmt::format("\n  after {} ms: {}", move.at.count(),
                            move_names[static_cast<std::size_t>(move.kind)]);
        if (move.lasts.count() > 0) text += fmt::format(" for {} ms", move.lasts.count());
    }
    return text + "\n";
}

}  // namespace fanfare::simulation
