#pragma once

#include "core/postgres/connection.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>

/// Whether a program and a ledger fit. Functions block, throw what libpqxx throws, and belong
/// inside postgres::Pool::run().
namespace fanfare::ledger {

/// What this program calls itself to a ledger: a ledger with a higher ledger_compat.oldest_program
/// is for others.
inline constexpr int program_generation = 1;

/// The migrations that this program was built with, in order.
[[nodiscard]] std::span<const std::string_view> known_migrations() noexcept;

/// Why this program cannot work on the ledger, and what to do; "" where it can. Later migrations,
/// which it does not know, are no reason.
[[nodiscard]] std::string unfitness(postgres::Connection& connection);

/// The same where nothing is open yet, as an error of the configuration. That the database does not
/// answer is none: programs wait for it.
[[nodiscard]] Result<void> check_fit(const Secret& url);

/// The same once the database has answered: nobody works on a ledger that nobody has looked at.
/// `pause` lets some time pass between two looks; false: the program ends. True where it fits,
/// false where the program ends first.
[[nodiscard]] Result<bool> await_fit(const Secret& url, const std::function<bool()>& pause);

}  // namespace fanfare::ledger
