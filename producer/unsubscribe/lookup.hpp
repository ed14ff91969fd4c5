#pragma once

#include "core/clock/clock.hpp"
#include "core/error/failure.hpp"
#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace fanfare {

/// Looks up the addresses of who unsubscribes in their system's database. Nobody holds anything of
/// the ledger's meanwhile.
///
/// Bounds    two look at a time, each on a connection of its own, for 3 s and 2 s a person at most;
///           a database that does not answer is left alone for ten seconds.
/// Stop      the destructor waits for what is running.
/// Threads   find() from any, and resumes on the caller's executor, which outlives it.
class AddressLookup {
public:
    struct Sought {
        Channel channel = Channel::email;
        std::string recipient;
    };
    using Addresses = std::vector<std::string>;

    AddressLookup(const Settings& settings, const Systems& systems, const Clock& clock)
        : settings_{settings}, systems_{systems}, clock_{clock} {}
    ~AddressLookup() { threads_.join(); }
    AddressLookup(const AddressLookup&) = delete;
    AddressLookup& operator=(const AddressLookup&) = delete;

    /// Of each of a system's people, as they are sent to.
    [[nodiscard]] boost::asio::awaitable<Result<std::vector<Addresses>>> find(
        std::string system, std::vector<Sought> people);

private:
    [[nodiscard]] bool is_away(const std::string& system);
    [[nodiscard]] Result<std::vector<Addresses>> look(const std::string& system,
                                                      const std::vector<Sought>& people);

    const Settings& settings_;
    const Systems& systems_;
    const Clock& clock_;
    std::mutex mutex_;
    std::map<std::string, SteadyTime> away_until_;
    boost::asio::thread_pool threads_{2};
};

}  // namespace fanfare
