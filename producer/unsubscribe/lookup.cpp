#include "producer/unsubscribe/lookup.hpp"

#include "core/audience/reach.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace fanfare {
namespace {

constexpr postgres::Limits limits{.statement_timeout = std::chrono::seconds{2}, .read_only = true};
constexpr std::chrono::seconds away_for{10};

}  // namespace

bool AddressLookup::is_away(const std::string& system) {
    const std::scoped_lock lock{mutex_};
    const auto found = away_until_.find(system);
    return found != away_until_.end() && clock_.moment() < found->second;
}

std::vector<std::string> AddressLookup::find(const std::string& system, Channel channel,
                                             const std::string& recipient) {
    const auto served = systems_.find(system);
    if (served == systems_.end()) return {};
    if (is_away(system)) throw postgres::Unreachable{"the system's database did not answer"};
    const auto& database = served->second.database;
    try {
        postgres::Connection source{database.empty() ? settings_.database.url : database, limits};
        return addresses_now(source, served->second, channel, recipient);
    } catch (const std::exception&) {  // Whatever it is, it need not be asked again at once.
        const std::scoped_lock lock{mutex_};
        away_until_[system] = clock_.moment() + away_for;
        throw;
    }
}

void AddressLookup::keep(postgres::Connection& ledger, const ledger::LeftList& left) {
    if (!systems_.contains(left.system)) return;  // Not configured here yet: a worker looks.
    ledger::LeftWith with{left, {}};
    try {
        with.addresses = find(left.system, left.channel, left.recipient);
    } catch (const std::exception& fault) {
        const auto failure = postgres::failure_of(
            fault, true, fmt::format("system {}: look up who unsubscribed", left.system));
        spdlog::warn("{}; a worker does it later", describe(failure));
        return;
    }
    ledger::keep_addresses(ledger, {&with, 1});
}

}  // namespace fanfare
