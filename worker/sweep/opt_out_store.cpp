#include "worker/sweep/opt_out_store.hpp"

#include "core/audience/reach.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace fanfare {
namespace {

constexpr const char* look_up_who_left = "look up who left";

}  // namespace

boost::asio::awaitable<Result<std::vector<ledger::LeftList>>> LedgerOptOutStore::take(int limit) {
    return ledger_.run("find who unsubscribed", [limit](postgres::Connection& ledger) {
        return ledger::take_unread_opt_outs(ledger, limit);
    });
}

boost::asio::awaitable<Result<void>> LedgerOptOutStore::keep(
    std::span<const ledger::LeftWith> found) {
    return ledger_.run("keep who left", [found](postgres::Connection& ledger) {
        ledger::keep_addresses(ledger, found);
    });
}

bool DatabaseAddressBooks::knows(const std::string& system) const {
    return job_contexts_.systems().contains(system);
}

boost::asio::awaitable<Result<std::vector<ledger::LeftWith>>> DatabaseAddressBooks::look_up(
    const std::string& name, std::span<const ledger::LeftList> people) {
    const auto& system = job_contexts_.systems().find(name)->second;
    const auto look = [&name, &system, people](postgres::Connection& source) {
        std::vector<ledger::LeftWith> known;
        int failures = 0;
        for (const auto& left : people) {
            try {
                known.push_back(
                    {left, addresses_now(source, system, left.channel, left.recipient)});
            } catch (const std::exception& fault) {
                const auto why = postgres::to_failure(fault, source.is_open(), look_up_who_left);
                if (++failures == 1)
                    spdlog::warn("system {}: {}; tried again later", name, describe(why));
                if (!source.is_open() || failures == failures_max) break;
            }
        }
        return known;
    };
    return job_contexts_.find_pool(system).run(look_up_who_left, look);
}

}  // namespace fanfare
