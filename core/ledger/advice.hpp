#pragma once

#include "core/postgres/connection.hpp"
#include "core/settings/problem.hpp"
#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"

namespace fanfare::ledger {

/// What is allowed and unwise: databases of other machines whose identity nobody checks, and
/// systems whose queries may take longer than what a worker holds lasts. Asks no database.
[[nodiscard]] Problems advice(const Settings& settings, const Systems& systems);

/// Settings of the ledger's server without which a promise does not hold: what it calls committed
/// is gone after a power cut. Throws what libpqxx throws.
[[nodiscard]] Problems durability_problems(postgres::Connection& connection);

}  // namespace fanfare::ledger
