#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/postgres/connection.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

/// The addresses that get nothing more, of all systems and audiences, for people to look at.
/// Functions block, throw what libpqxx throws, and belong inside postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

struct Suppression {
    Channel channel = Channel::email;
    std::string address;  // In its compared form, or as a provider wrote what can be no address.
    std::string reason;
    std::string source;
    std::string since;  // ISO 8601 in UTC.
};

struct SuppressionFilter {
    std::optional<Channel> channel{};
    /// A whole address as anybody writes it, or how one begins; "" for all.
    std::string search{};
};

/// Behind which address reading goes on; the default is the beginning.
struct SuppressionCursor {
    Channel channel = Channel::email;
    std::string address;
};

/// Appends up to `limit`, by channel and address, and moves the cursor behind them. False at the
/// end.
[[nodiscard]] bool list_suppressions(Connection& connection, const SuppressionFilter& filter,
                                     SuppressionCursor& cursor, std::size_t limit,
                                     std::vector<Suppression>& suppressions);

}  // namespace fanfare::ledger
