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

/// What a person has unsubscribed from.
struct OptOut {
    Channel channel = Channel::email;
    std::string list;
    std::string created_at;  // ISO 8601 in UTC.
};
[[nodiscard]] std::vector<OptOut> opt_outs_of(Connection& connection, const std::string& system,
                                              const std::string& recipient);

/// Whom and what a change by hand is about: every combination of the channels and lists.
struct OptOutChange {
    std::string system;
    std::string recipient;
    std::vector<Channel> channels;
    std::vector<std::string> lists;
};
/// Both are harmless when repeated.
void opt_out_by_hand(Connection& connection, const OptOutChange& change);
void opt_in_by_hand(Connection& connection, const OptOutChange& change);

/// Which of a chunk's recipients (its array literal, as claimed) opted out of `list`.
[[nodiscard]] std::vector<std::string> opted_out(Connection& connection, std::string_view system,
                                                 Channel channel, std::string_view list,
                                                 const std::string& recipients_literal);

}  // namespace fanfare::ledger
