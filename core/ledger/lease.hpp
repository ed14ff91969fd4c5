#pragma once

#include "core/postgres/connection.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

/// What only one program of all may do, one does: who holds the lease of that name. Functions
/// block, throw what libpqxx throws, and belong inside postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

/// Takes the lease, or holds it for longer: its epoch, which grows with each new holder; none
/// where somebody else holds it.
[[nodiscard]] std::optional<std::int64_t> take_lease(Connection& connection,
                                                     const std::string& name,
                                                     const std::string& holder,
                                                     std::chrono::milliseconds length);

/// Whoever comes next need not wait for its end.
void give_back_lease(Connection& connection, const std::string& name, const std::string& holder);

}  // namespace fanfare::ledger
