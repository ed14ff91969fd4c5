#pragma once

#include "core/ledger/pauses.hpp"
#include "core/postgres/connection.hpp"

#include <chrono>
#include <map>
#include <string>
#include <vector>

/// Rate tokens of a provider account, shared by all replicas through one row.
/// Functions block, throw what libpqxx throws, and belong inside postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

/// A slice of an account's rate: `tokens` tokens, one every 1/rate seconds from `begins_in`.
struct Slice {
    std::chrono::microseconds begins_in{0};
    std::uint32_t tokens = 0;
};

/// Reserves the next slice. Nobody else gets its time.
[[nodiscard]] Slice reserve_slice(Connection& connection, const std::string& account,
                                  double per_second, std::uint32_t tokens);

/// The provider asked to wait: no replica sends before. Returns how long that is from now.
std::chrono::microseconds block_account(Connection& connection, const std::string& account,
                                        std::chrono::milliseconds wait);

/// What all workers obey, as it stands now.
struct FleetState {
    struct Blocked {
        std::string account;
        std::chrono::microseconds left{0};
    };
    std::vector<Blocked> blocked;         // As some provider asked one of them to wait.
    std::vector<PauseTarget> paused;      // By operators.
    std::map<std::string, double> rates;  // By account: those that operators set.
};
/// One statement: every worker asks each half second.
[[nodiscard]] FleetState read_fleet_state(Connection& connection);

}  // namespace fanfare::ledger
