// Tries worlds, one seed after another, until one fails or time is over; see scripts/simulate.
#include "core/clock/clock.hpp"
#include "tests/simulation/search.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace fanfare::simulation {
namespace {

bool knows(const std::string& plant) {
    return plant.empty() || std::any_of(all_plants.begin(), all_plants.end(),
                                        [&](const auto& p) { return p.name == plant; });
}

struct Wish {
    std::uint64_t seed = 1;
    std::uint64_t stride = 1;  // Every so-manieth seed.
    std::uint64_t seeds = 0;   // 0: no end.
    double seconds = 0;        // 0: no end.
    std::string plant;
    bool json = false, story = false, list = false;
};

Plant find_plant(const std::string& name) {
    const auto* const found = std::find_if(all_plants.begin(), all_plants.end(),
                                           [&](const auto& p) { return p.name == name; });
    return found == all_plants.end() ? Plant::none : found->plant;
}

std::string quoted(const std::string& text) {
    std::string out{'"'};
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c == '\n' ? ' ' : c;
    }
    return out + '"';
}

void report(const Wish& wish, const Found& all, double took) {
    if (wish.json) {
        fmt::print(
            "{{\"first\":{},\"worlds\":{},\"virtual_seconds\":{},\"seconds\":{:.1f},"
            "\"worlds_per_second\":{:.0f},\"failed\":{},\"seed\":{},\"why\":{}}}\n",
            wish.seed, all.worlds, all.virtual_seconds, took,
            static_cast<double>(all.worlds) / std::max(took, 0.001),
            all.why.empty() ? "false" : "true", all.why.empty() ? 0 : all.seed, quoted(all.why));
        return;
    }
    fmt::print(
        "{} worlds from seed {}, {} virtual seconds, {:.1f} s, {:.0f} worlds a second: {}\n",
        all.worlds, wish.seed, all.virtual_seconds, took,
        static_cast<double>(all.worlds) / std::max(took, 0.001),
        all.why.empty() ? "all as promised" : fmt::format("seed {} fails: {}", all.seed, all.why));
}

int run(const Wish& wish) {
    const auto plant = find_plant(wish.plant);
    const Plans plans = [plant, &wish](std::uint64_t number) {
        return plan_of(wish.seed + number * wish.stride, plant);
    };
    if (wish.list) {
        for (const auto& one : all_plants) fmt::print("{:22} {}\n", one.name, one.what);
        return 0;
    }
    if (wish.story) {
        fmt::print("{}", tell(plans(0)));
        return 0;
    }
    const auto begin = system_clock().steady_now();
    const auto passed = [&] {
        return std::chrono::duration<double>{system_clock().steady_now() - begin}.count();
    };
    constexpr std::uint64_t at_once = 100;
    Found all;
    while (all.why.empty() && (wish.seconds <= 0 || passed() < wish.seconds) &&
           (wish.seeds == 0 || all.worlds < wish.seeds)) {
        const auto left = wish.seeds == 0 ? at_once : wish.seeds - all.worlds;
        auto found = try_seeds(plans, all.worlds, std::min(at_once, left));
        found.worlds += all.worlds;
        found.virtual_seconds += all.virtual_seconds;
        all = std::move(found);
    }
    const auto number = all.seed;
    all.seed = plans(number).seed;
    report(wish, all, passed());
    std::fflush(stdout);
    if (all.why.empty()) return 0;
    const auto small = shrink(plans(number));
    auto* const out = wish.json ? stderr : stdout;
    fmt::print(out, "\nThe smallest world found that fails, with its seed {}: {}\n{}", small.seed,
               try_plan(small), tell(small));
    return 1;
}

}  // namespace
}  // namespace fanfare::simulation

int main(int argc, char** argv) {
    fanfare::simulation::Wish wish;
    CLI::App app{"Whole workers under a virtual clock, from seeds."};
    app.add_option("--seed", wish.seed, "the first seed");
    app.add_option("--stride", wish.stride, "from one seed to the next");
    app.add_option("--seeds", wish.seeds, "how many; none: without end");
    app.add_option("--seconds", wish.seconds, "how long; none: without end");
    app.add_option("--plant", wish.plant, "a fault that is to be found");
    app.add_flag("--list", wish.list, "the faults that can be planted");
    app.add_flag("--json", wish.json, "one line for programs");
    app.add_flag("--story", wish.story, "tells what happens at --seed");
    CLI11_PARSE(app, argc, argv);
    if (!fanfare::simulation::knows(wish.plant)) {
        fmt::print(stderr, "there is no fault '{}'; --list names them\n", wish.plant);
        return 2;
    }
    return fanfare::simulation::run(wish);
}
