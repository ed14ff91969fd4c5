#pragma once

#include "core/domain/words.hpp"
#include "core/postgres/connection.hpp"
#include "core/reference/reference.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Who unsubscribed from what. Functions block, throw what libpqxx throws, and belong inside
/// postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

/// The person of a reference wants no more of the list that its job belonged to, on that
/// channel. True when that is stored, or was before; false when the ledger knows no such send.
[[nodiscard]] bool opt_out(Connection& connection, const Reference& reference);

/// Which of a chunk's recipients (its array literal, as claimed) opted out of `list`.
[[nodiscard]] std::vector<std::string> opted_out(Connection& connection, std::string_view system,
                                                 Channel channel, std::string_view list,
                                                 const std::string& recipients_literal);

}  // namespace fanfare::ledger
