#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/postgres/connection.hpp"
#include "core/reference/reference.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Who unsubscribed from what, and with which addresses: those hold for whoever else has them. The
/// ledger keeps hashes of these; the systems know them. Functions block, throw what libpqxx throws,
/// and belong inside postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

/// Somebody who left a list.
struct LeftList {
    std::string system;
    Channel channel = Channel::email;
    std::string list;
    std::string recipient;
};

/// The person of a reference wants no more of the list that its job belonged to, on that
/// channel. What is stored, or was before; nothing when the ledger knows no such send. Their
/// addresses are due to be looked up. `mark`: of the address that it went to, or "". Where the
/// chunk is no longer kept (retention.hpp), it holds for the address alone: there is no recipient.
[[nodiscard]] std::optional<LeftList> opt_out(Connection& connection, const Reference& reference,
                                              const std::string& mark = {});

/// What makes this ledger's hashes of addresses its own. It never changes.
[[nodiscard]] std::string address_key(Connection& connection);

/// Makes the marks that links have of addresses: the first bytes of the ledger's hashes.
///
/// Threads   const functions on any thread.
class AddressMarks {
public:
    explicit AddressMarks(std::string key) : key_{std::move(key)} {}
    /// Of a compared_form().
    [[nodiscard]] std::array<char, address_mark_bytes> mark(std::string_view compared) const;

private:
    std::string key_;
};

/// Somebody's addresses on the channel as they were found, as they are sent to.
struct LeftWith {
    LeftList left;
    std::vector<std::string> addresses;
};
/// Keeps them for those whose addresses are not known yet and who have not come back meanwhile.
void keep_addresses(Connection& connection, std::span<const LeftWith> found);

/// Takes up to `limit` of those whose addresses are due to be looked up; what is not kept is due
/// again later, after as long as they have been gone, at most an hour.
[[nodiscard]] std::vector<LeftList> take_unread_opt_outs(Connection& connection, int limit);

/// What a person has unsubscribed from.
struct OptOut {
    Channel channel = Channel::email;
    std::string list;
    std::string created_at;  // ISO 8601 in UTC.
};
[[nodiscard]] std::vector<OptOut> find_opt_outs(Connection& connection, const std::string& system,
                                                const std::string& recipient);

/// Whom and what a change by hand is about: every combination of the channels and lists.
struct OptOutChange {
    std::string system;
    std::string recipient;
    std::vector<Channel> channels;
    std::vector<std::string> lists;
    /// What was found of theirs, as it is sent to: nobody who has it is told either.
    std::array<std::vector<std::string>, channel_count> addresses{};
};
/// What was found of theirs alone, for those who have not come back meanwhile.
void keep_addresses(Connection& connection, const OptOutChange& change);

/// Others who left the same, and whose addresses are not known yet: the latest `limit`.
[[nodiscard]] std::vector<LeftList> unread_opt_outs_beside(Connection& connection,
                                                           const OptOutChange& change, int limit);

/// Both are harmless when repeated. Who comes back does so with their addresses, whoever left with
/// them: also the `others`, whose addresses are kept and would have been only later.
void opt_out_by_hand(Connection& connection, const OptOutChange& change);
void opt_in_by_hand(Connection& connection, const OptOutChange& change,
                    std::span<const LeftWith> others = {});

/// Who of some people left a list.
struct Gone {
    std::vector<std::string> people;
    bool with_addresses = false;  // Somebody left it with an address: ask left_with(), too.
};
/// `recipients_literal`: the people as an array literal.
[[nodiscard]] Gone opted_out(Connection& connection, std::string_view system, Channel channel,
                             std::string_view list, const std::string& recipients_literal);

/// Which of `addresses`, as they are sent to, somebody left the list with: one flag each.
[[nodiscard]] std::vector<bool> left_with(Connection& connection, std::string_view system,
                                          Channel channel, std::string_view list,
                                          std::span<const std::string_view> addresses);

}  // namespace fanfare::ledger
