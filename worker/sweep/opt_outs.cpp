#include "worker/sweep/opt_outs.hpp"

#include "core/async/task_group.hpp"
#include "core/audience/reach.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <map>
#include <utility>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr int people_per_round_max = 500;

}  // namespace

asio::awaitable<void> OptOuts::run() {
    while (!stopping_) {
        co_await round();
        co_await pause_for(settings_.sweep_interval);
    }
}

asio::awaitable<void> OptOuts::round() {
    auto due = co_await ledger_.run("find who unsubscribed", [](postgres::Connection& ledger) {
        return ledger::take_unread_opt_outs(ledger, people_per_round_max);
    });
    if (!due) {
        spdlog::warn("{}", describe(due.error()));
        co_return;
    }
    std::map<std::string, std::vector<ledger::LeftWith>> by_system;
    for (auto& left : due.value()) {
        auto& of_system = by_system[left.system];
        of_system.push_back({std::move(left), {}});
    }
    const auto& systems = sources_.systems();
    for (auto& entry : by_system) {
        const auto& name = entry.first;
        auto& people = entry.second;
        const auto system = systems.find(name);
        if (stopping_ || system == systems.end()) continue;
        const auto look = [&](postgres::Connection& source) {
            for (auto& one : people) {
                one.addresses =
                    addresses_now(source, system->second, one.left.channel, one.left.recipient);
            }
        };
        auto found = co_await sources_.pool_of(system->second).run("look up who left", look);
        if (!found) {
            spdlog::warn("system {}: {}; tried again later", name, describe(found.error()));
            continue;
        }
        auto kept = co_await ledger_.run("keep who left", [&](postgres::Connection& ledger) {
            ledger::keep_addresses(ledger, people);
        });
        if (!kept) spdlog::warn("{}", describe(kept.error()));
    }
}

}  // namespace fanfare
