#include "worker/sweep/opt_outs.hpp"

#include "core/async/task_group.hpp"
#include "core/audience/reach.hpp"
#include "core/clock/timer.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <map>
#include <utility>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr int people_per_round_max = 50;
constexpr const char* doing = "look up who left";
constexpr int failures_max = 3;  // Of a system in a round: each may take as long as a query may.

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
    const auto& systems = job_contexts_.systems();
    for (auto& entry : by_system) {
        const auto& name = entry.first;
        auto& people = entry.second;
        const auto system = systems.find(name);
        if (stopping_ || system == systems.end()) continue;
        // Somebody whose lookup fails keeps nobody else's back.
        const auto look = [&](postgres::Connection& source) {
            std::vector<ledger::LeftWith> known;
            int failures = 0;
            for (auto& one : people) {
                try {
                    one.addresses =
                        addresses_now(source, system->second, one.left.channel, one.left.recipient);
                    known.push_back(std::move(one));
                } catch (const std::exception& fault) {
                    const auto why = postgres::to_failure(fault, source.is_open(), doing);
                    if (++failures == 1)
                        spdlog::warn("system {}: {}; tried again later", name, describe(why));
                    if (!source.is_open() || failures == failures_max) break;
                }
            }
            return known;
        };
        auto found = co_await job_contexts_.find_pool(system->second).run(doing, look);
        if (!found) {
            spdlog::warn("system {}: {}; tried again later", name, describe(found.error()));
            continue;
        }
        if (found.value().empty()) continue;
        auto kept = co_await ledger_.run("keep who left", [&](postgres::Connection& ledger) {
            ledger::keep_addresses(ledger, found.value());
        });
        if (!kept) spdlog::warn("{}", describe(kept.error()));
    }
}

}  // namespace fanfare
