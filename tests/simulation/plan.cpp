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
    if (kind == MoveKind::drain) return dice.between(100, 8'000);
    if (kind == MoveKind::outage) return dice.between(2'000, 40'000);
    if (kind == MoveKind::storm) return dice.between(2'000, 30'000);
    // Too short to be believed, or for good.
    if (kind != MoveKind::clock || dice.hits(250)) return {};
    return dice.between(200, dice.hits(400) ? 2'500 : 24'000);
}

void sort(WorldPlan& plan) {
    std::stable_sort(plan.moves.begin(), plan.moves.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
}

/// `sooner`: so many times.
void add(WorldPlan& plan, Dice& dice, MoveKind kind, std::size_t count, int sooner = 1) {
    for (std::size_t i = 0; i < count; ++i) {
        Move move{kind, dice.between(0, moves_within_ms), dice.below(40), dice.word() >> 1U, {}};
        move.lasts = draw_length(dice, kind);
        move.at /= sooner;
        plan.moves.push_back(move);
    }
    sort(plan);
}

/// Who stands still while a chunk is split, for longer than some sleep, finds it told.
void draw_late_split(WorldPlan& plan, Dice& dice) {
    plan.wake_at_once = true;
    plan.odds.slow_query = 40 + static_cast<std::uint32_t>(dice.below(60));
    add(plan, dice, MoveKind::pause, 2, 3);
}

/// The ledger's clock is an hour behind for moments, from one in which somebody begins.
void add_jump_at_birth(WorldPlan& plan, Dice& dice) {
    constexpr std::uint64_t hour_behind = 1;  // World::step_clock().
    Move crash{MoveKind::crash, dice.between(200, 3'000), dice.below(10), dice.word() >> 1U, {}};
    crash.lasts = dice.between(100, 6'000);
    const auto birth = std::chrono::ceil<std::chrono::seconds>(crash.at + crash.lasts);
    const Move jump{MoveKind::clock, birth, dice.below(24), hour_behind,
                    dice.between(1'000, 6'000)};
    plan.moves.push_back(crash);
    plan.moves.push_back(jump);
    sort(plan);
}

/// Of a chance of their own, so that the rest of a world is what it was without them.
void draw_rules(WorldPlan& plan, std::uint64_t seed) {
    Dice dice{seed * 0x9e6c63d0876a9a47U + 7};
    if (dice.hits(120)) {
        add(plan, dice, MoveKind::clock, 1 + dice.below(2), dice.hits(500) ? 4 : 1);
        if (dice.hits(300)) add_jump_at_birth(plan, dice);
        if (dice.hits(500)) add(plan, dice, MoveKind::machine, 1 + dice.below(2));
        // What can be told too late shows whether anybody knows the time.
        if (plan.expires_after.count() == 0 && dice.hits(600)) {
            plan.expires_after = dice.between(6'000, 40'000);
        }
    }
    if (dice.hits(100)) {
        plan.nights = dice.hits(200) ? Nights::Rule::drop : Nights::Rule::defer;
        plan.wakes_after = dice.between(500, 20'000);
        if (dice.hits(800)) draw_late_split(plan, dice);
    }
    if (dice.hits(120)) {
        plan.jobs = 2 + dice.below(2);
        plan.at_most = 1 + dice.below(2);
        // Who is in doubt, and is replayed, and has left by then.
        if (dice.hits(500)) {
            plan.odds.never = 50 + static_cast<std::uint32_t>(dice.below(100));
            add(plan, dice, MoveKind::replay, 2);
            add(plan, dice, MoveKind::leave, 4, 3);
        }
    }
    plan.turns = dice.hits(120);
    if (dice.hits(120)) {
        add(plan, dice, MoveKind::reload, 1 + dice.below(3), 10);
        // What is too fast shows while there is much to send.
        if (dice.hits(500)) {
            plan.chunks = 4;
            plan.people = 10;
            plan.batch = 1;
            plan.per_second = static_cast<double>(6 + dice.below(7));
        }
    }
    if (dice.hits(80)) add(plan, dice, MoveKind::rotate, 1 + dice.below(2));
    // Permits bound it: some are marked ahead.
    if (dice.hits(120)) plan.per_second = static_cast<double>(400 + dice.below(400));
    if (dice.hits(120)) add(plan, dice, MoveKind::drain, 1 + dice.below(3));
    // Who begins meanwhile would know no time.
    if (dice.hits(120) && !plan.has_clocks()) add(plan, dice, MoveKind::outage, 1);
    if (dice.hits(120)) add(plan, dice, MoveKind::storm, 1 + dice.below(2), 3);
}

}  // namespace

bool WorldPlan::has_clocks() const { return count(MoveKind::clock) + count(MoveKind::machine) > 0; }

bool WorldPlan::has_reloads() const {
    return count(MoveKind::reload) + count(MoveKind::rotate) > 0;
}

Nights WorldPlan::sleepers() const {
    using Towns = Nights::Towns;
    const auto towns = expires_after.count() > 0 ? Towns::three : Towns::two;
    return {nights, wakes_after, wake_at_once ? Towns::one : towns};
}

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
        if (!dice.hits(draw.chance)) continue;
        // People who leave do so early: what is told long after is a fault.
        add(plan, dice, draw.kind, 1 + dice.below(draw.most),
            draw.kind == MoveKind::leave ? 10 : 1);
    }
    draw_rules(plan, seed);
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
    if (plan.at_most > 0) text += fmt::format("; {} of them may tell one person", plan.at_most);
    if (plan.turns) text += "; whom push cannot reach is turned to by e-mail";
    if (plan.nights != Nights::Rule::none) {
        text += fmt::format("; some sleep, for {} ms or longer{}", plan.wakes_after.count(),
                            plan.sleepers().drops() ? ", and miss it" : "");
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
