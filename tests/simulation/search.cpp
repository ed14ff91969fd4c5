#include "tests/simulation/search.hpp"

#include "tests/simulation/world.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>

namespace fanfare::simulation {
namespace {

constexpr std::uint64_t seeds_per_child = 300;
constexpr std::chrono::minutes virtual_time_max{15};

/// What it lets go of it soon wants again: the kernel need not take it back meanwhile.
void keep_memory() {
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_TOP_PAD, 16 << 20);
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
}

/// What `work` says, in a process of its own.
std::string ask_child(const std::function<std::string()>& work, bool& died) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) return {};
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        keep_memory();
        spdlog::set_level(spdlog::level::off);
        const auto said = work();
        std::size_t at = 0;
        while (at < said.size()) {
            const auto written = write(ends[1], said.data() + at, said.size() - at);
            if (written <= 0) std::_Exit(1);
            at += static_cast<std::size_t>(written);
        }
        std::_Exit(0);
    }
    close(ends[1]);
    std::string said;
    std::array<char, 4'096> bytes{};
    for (ssize_t count = 0; (count = read(ends[0], bytes.data(), bytes.size())) > 0;) {
        said.append(bytes.data(), static_cast<std::size_t>(count));
    }
    close(ends[0]);
    int status = 0;
    died = waitpid(child, &status, 0) != child || status != 0;
    return said;
}

std::string run_seeds(const Plans& plans, std::uint64_t first, std::uint64_t count) {
    std::uint64_t lived = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        World world{plans(first + i)};
        const auto why = world.run(virtual_time_max).first();
        lived += static_cast<std::uint64_t>(world.took().count());
        if (!why.empty()) return fmt::format("{} {} {} {}", i + 1, lived, first + i, why);
    }
    return fmt::format("{} {} 0", count, lived);
}

/// Each with one thing less than the plan.
std::vector<WorldPlan> smaller(const WorldPlan& plan) {
    std::vector<WorldPlan> all;
    const auto with = [&](auto change) {
        auto less = plan;
        change(less);
        all.push_back(std::move(less));
    };
    for (std::size_t i = 0; i < plan.moves.size(); ++i) {
        with([i](auto& p) { p.moves.erase(p.moves.begin() + static_cast<std::ptrdiff_t>(i)); });
    }
    for (const auto& odds : all_odds) {
        if (plan.odds.*odds.value > 0) with([&](auto& p) { p.odds.*odds.value = 0; });
    }
    const auto count_down = [&](std::size_t WorldPlan::*number, std::size_t least) {
        if (plan.*number > least) with([=](auto& p) { p.*number = least; });
        if (plan.*number > least + 1) with([=](auto& p) { p.*number /= 2; });
        if (plan.*number > least + 1) with([=](auto& p) { --(p.*number); });
    };
    count_down(&WorldPlan::jobs, 1);
    count_down(&WorldPlan::chunks, 1);
    count_down(&WorldPlan::people, 1);
    count_down(&WorldPlan::devices, 1);
    count_down(&WorldPlan::batch, 1);
    count_down(&WorldPlan::accounts, 1);
    count_down(&WorldPlan::workers, 1);
    count_down(&WorldPlan::cursed, 0);
    if (plan.expires_after.count() > 0) with([](auto& p) { p.expires_after = {}; });
    count_down(&WorldPlan::at_most, 0);
    if (plan.turns) with([](auto& p) { p.turns = false; });
    if (plan.nights != Nights::Rule::none) with([](auto& p) { p.nights = Nights::Rule::none; });
    return all;
}

}  // namespace

Found try_seeds(const Plans& plans, std::uint64_t first, std::uint64_t count) {
    bool died = false;
    const auto said = ask_child([&] { return run_seeds(plans, first, count); }, died);
    Found found;
    if (died) {
        if (count == 1) return {1, 0, first, "the world died"};
        for (std::uint64_t i = 0; i < count && found.why.empty(); ++i) {
            auto one = try_seeds(plans, first + i, 1);
            one.worlds += found.worlds;
            found = std::move(one);
        }
        return found;
    }
    std::istringstream in{said};
    in >> found.worlds >> found.virtual_seconds >> found.seed;
    std::getline(in >> std::ws, found.why);
    return found;
}

Found search(const Plans& plans, std::uint64_t first, std::uint64_t count) {
    Found all;
    while (all.worlds < count && all.why.empty()) {
        const auto next = std::min(seeds_per_child, count - all.worlds);
        auto found = try_seeds(plans, first + all.worlds, next);
        found.worlds += all.worlds;
        found.virtual_seconds += all.virtual_seconds;
        all = std::move(found);
    }
    return all;
}

std::string try_plan(const WorldPlan& plan) {
    return try_seeds([&plan](std::uint64_t) { return plan; }, plan.seed, 1).why;
}

WorldPlan shrink(WorldPlan plan) {
    // Another chance decides other things: a few seeds of each smaller world are tried.
    constexpr std::uint64_t seeds_each = 12;
    bool is_smaller = true;
    while (is_smaller) {
        is_smaller = false;
        for (const auto& less : smaller(plan)) {
            const auto plans = [&less](std::uint64_t seed) {
                auto one = less;
                one.seed = seed;
                return one;
            };
            const auto found = search(plans, plan.seed, seeds_each);
            if (found.why.empty()) continue;
            plan = plans(found.seed);
            is_smaller = true;
            break;
        }
    }
    return plan;
}

std::string tell(const WorldPlan& plan) {
    bool died = false;
    const auto story = ask_child(
        [&plan] {
            World world{plan, true};
            std::ignore = world.run(virtual_time_max);
            return world.story();
        },
        died);
    return describe(plan) + (died ? "the world died\n" : story);
}

}  // namespace fanfare::simulation
