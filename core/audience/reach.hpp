#pragma once

#include "core/audience/exclusion.hpp"
#include "core/ledger/addresses.hpp"
#include "core/systems/system.hpp"

#include <pqxx/result>
#include <pqxx/row>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Whom a message reaches, and whom not, and why: one answer for whoever sends, estimates or lists.
/// Functions throw what libpqxx throws.
namespace fanfare {

/// One address of one person.
struct Target {
    std::uint32_t recipient = 0;  // Index into the people who were asked for.
    std::int32_t row = 0;         // Of the contact query's answer.
    std::string_view address;     // As it is sent to; "" where it can be none.
    std::string_view written{};   // As the system has it.
    Exclusion exclusion = Exclusion::none;
    std::string_view time_zone{};  // Of the person; "" where the query does not say.
};

/// The answer of a contact query, read.
struct Contacts {
    pqxx::result rows;              // Keeps the bytes that the views point into.
    std::deque<std::string> forms;  // Addresses that the source writes otherwise.
    std::vector<Target> targets;    // One a row of somebody who was asked for.
    std::vector<bool> seen;         // One a person: the query knows them.

    /// Empty, for so many people.
    void clear(std::size_t people);
    [[nodiscard]] pqxx::row find_row(const Target& target) const;
};

/// A column of an answer; nothing where there is none of the name.
[[nodiscard]] std::optional<pqxx::row::size_type> find_column(const pqxx::result& rows,
                                                              std::string_view name);

/// The id of whom all rows of an answer are; "" where they are of several, or there is none.
[[nodiscard]] std::string find_only_id(const pqxx::result& rows);

/// Asks a contact query for people. Whoever it raises an error for costs nobody else their answer:
/// they are nobody it knows. Throws where more than a few hundred questions do not tell them apart.
[[nodiscard]] pqxx::result ask_contacts(postgres::Connection& source, const std::string& sql,
                                        std::span<const std::string> people);

/// Reads `contacts.rows`, the answer for `people` (sorted bytewise): an address of each row, or
/// what stands against it as far as the system knows.
void read_contacts(Channel channel, std::span<const std::string_view> people, Contacts& contacts);

/// The addresses of one person now, as they are sent to, whatever stands against them, and however
/// the id is spelled (a UUID in capitals).
[[nodiscard]] std::vector<std::string> addresses_now(postgres::Connection& source,
                                                     const System& system, Channel channel,
                                                     const std::string& recipient);

/// What is asked of the ledger for the people of one answer.
struct ReachQuestion {
    std::string system;
    Channel channel = Channel::email;
    std::string list;        // What they may have left; "": nothing.
    std::string recipients;  // All of `people`, as an array literal.
    /// Who of some people (an array literal) has been told often enough; none: nobody minds.
    std::function<std::vector<std::string>(const std::string& people)> over_cap{};
    /// Which addresses are theirs to be told at; none: nobody minds.
    std::function<std::vector<bool>(std::span<const ledger::AddressClaim> claims)> own{};
};

/// Looks at all that stands against the targets by the ledger's word, in order: whoever is excluded
/// is not asked about further.
void exclude(postgres::Connection& ledger, const ReachQuestion& question,
             std::span<const std::string_view> people, std::vector<Target>& targets);

}  // namespace fanfare
