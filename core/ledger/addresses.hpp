#pragma once

#include "core/domain/words.hpp"
#include "core/postgres/connection.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What the ledger knows of addresses: suppressions, and who of an audience owns one.
/// Functions block, throw what libpqxx throws, and belong inside postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

/// Two spellings of one address give one canonical form: the domain of an e-mail address is
/// lower-cased, its local part kept; a number gets its plus; anything else stays as it is.
[[nodiscard]] std::string canonical_address(Channel channel, std::string_view address);

/// Which of `addresses` (canonical) are suppressed: one flag each.
[[nodiscard]] std::vector<bool> find_suppressed(Connection& connection, Channel channel,
                                                std::span<const std::string> addresses);

struct NewSuppression {
    std::string address;  // Canonical.
    std::string reason;
};
/// Returns how many were not suppressed before.
std::size_t add_suppressions(Connection& connection, Channel channel,
                             std::span<const NewSuppression> suppressions, std::string_view source);
/// The same as part of a larger transaction.
std::size_t add_suppressions(pqxx::transaction_base& work, Channel channel,
                             std::span<const NewSuppression> suppressions, std::string_view source);

/// An address of a job's audience and the person who brings it.
struct AddressClaim {
    std::string address;  // Canonical.
    std::string_view recipient;
};
/// For jobs that dedupe by address: the first person to bring an address owns it, for good.
/// True for the claims whose recipient is the owner; the same question gives the same answer.
[[nodiscard]] std::vector<bool> own_addresses(Connection& connection, const std::string& job,
                                              Channel channel,
                                              std::span<const AddressClaim> claims);

}  // namespace fanfare::ledger
