#pragma once

#include "core/clock/clock.hpp"
#include "core/postgres/connection.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Provider accounts as the fleet knows them: rates that operators set, and what each worker says.
/// Functions block, throw what libpqxx throws, and belong inside postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

/// Sets the rate of an account, in its provider's own unit, instead of the settings' until it is
/// taken back. What slower slices have reserved ahead is let go after a second, by when every
/// worker has heard of it.
void set_rate(Connection& connection, const std::string& account, double per_second,
              const std::string& who);
/// False where none was set.
bool clear_rate(Connection& connection, const std::string& account);

/// By account.
[[nodiscard]] std::map<std::string, double> rates_by_hand(Connection& connection);

/// What only a worker knows of an account.
struct AccountHealth {
    std::string account;
    std::string breaker;                     // closed, half_open, open
    std::chrono::milliseconds shut_for{0};   // Paused or broken so long from now.
    std::string last_error;                  // "" where there was none.
    std::optional<TimePoint> last_error_at;  // By the worker's clock.
    double per_second = 0;                   // Tokens of its rate, of late.
};
/// Writes those that changed. Rows of workers that are gone are deleted after a day.
void tell_health(Connection& connection, const std::string& worker,
                 std::span<const AccountHealth> changed);

/// An account as all workers together know it. Moments are ISO 8601 in UTC, "" for none.
struct AccountState {
    std::string account;
    double by_hand = 0;  // The rate that somebody set; 0: none.
    std::string set_by;
    std::string set_at;
    std::string blocked_until;  // A provider asked everyone to wait.
    std::string shut_until;     // The longest that a worker has it shut.
    std::string breaker;        // The worst of those of late; "": none has told.
    double per_second = 0;      // Of all workers.
    std::string last_error;
    std::string last_error_at;
};
/// In one word, the worst first: paused (by an operator), failing, shut, blocked, recovering, ok;
/// unused where no worker has told of it.
[[nodiscard]] std::string_view find_health(const AccountState& state, bool paused);

/// Those of which anything is known, by name.
[[nodiscard]] std::vector<AccountState> account_states(Connection& connection);

}  // namespace fanfare::ledger
