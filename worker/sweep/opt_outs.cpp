#include "worker/sweep/opt_outs.hpp"

#include "core/async/task_group.hpp"
#include "core/clock/timer.hpp"

#include <spdlog/spdlog.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr int people_per_round_max = 50;

}  // namespace

asio::awaitable<void> OptOuts::run() {
    for (int turn = 0; !stopping_; ++turn) {
        if (is_worth_it_(turn)) co_await round();
        co_await pause_to_beat(settings_.sweep_interval);
    }
}

asio::awaitable<void> OptOuts::round() {
    auto due = co_await store_.take(people_per_round_max);
    if (!due) {
        spdlog::warn("{}", describe(due.error()));
        co_return;
    }
    std::map<std::string, std::vector<ledger::LeftList>> by_system;
    for (auto& left : due.value()) {
        auto& of_system = by_system[left.system];
        of_system.push_back(std::move(left));
    }
    for (const auto& entry : by_system) {
        const auto& name = entry.first;
        if (stopping_ || !books_.knows(name)) continue;
        const auto found = co_await books_.look_up(name, entry.second);
        if (!found) {
            spdlog::warn("system {}: {}; tried again later", name, describe(found.error()));
            continue;
        }
        if (found.value().empty()) continue;
        const auto kept = co_await store_.keep(found.value());
        if (!kept) spdlog::warn("{}", describe(kept.error()));
    }
}

}  // namespace fanfare
