#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/postgres/connection.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What the ledger knows of addresses: suppressions, and who of an audience owns one. They are
/// given as they are sent to (core/audience/address.hpp), and compared without their case; also as
/// the version before compares them, whose programs write here too.
/// Functions block, throw what libpqxx throws, and belong inside postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

/// Which of `addresses` are suppressed: one flag each.
[[nodiscard]] std::vector<bool> find_suppressed(Connection& connection, Channel channel,
                                                std::span<const std::string_view> addresses);

struct NewSuppression {
    std::string address;
    std::string reason;
};
/// Returns how many were not suppressed before.
std::size_t add_suppressions(Connection& connection, Channel channel,
                             std::span<const NewSuppression> suppressions, std::string_view source);
/// The same as part of a larger transaction.
std::size_t add_suppressions(pqxx::transaction_base& work, Channel channel,
                             std::span<const NewSuppression> suppressions, std::string_view source);

/// Brings suppressions that programs of the version before wrote into the form of this one, up to
/// `limit`, and returns how many it looked at. What they wrote stays beside it.
std::size_t read_suppressions(Connection& connection, int limit);

/// An address of a job's audience and the person who brings it.
struct AddressClaim {
    std::string_view address;
    std::string_view recipient;
};
/// For jobs that dedupe by address: the first person to bring an address owns it, for good.
/// True for the claims whose recipient is the owner; the same question gives the same answer.
[[nodiscard]] std::vector<bool> own_addresses(Connection& connection, const std::string& job,
                                              Channel channel,
                                              std::span<const AddressClaim> claims);

/// The same as things stand, of whoever only asks: an address that nobody owns is theirs.
[[nodiscard]] std::vector<bool> would_own_addresses(Connection& connection, const std::string& job,
                                                    Channel channel,
                                                    std::span<const AddressClaim> claims);

}  // namespace fanfare::ledger
