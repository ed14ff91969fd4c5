#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/postgres/connection.hpp"
#include "core/systems/system.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::api {

/// Whether a message would reach somebody at an address.
enum class PersonStanding : std::uint8_t {
    reachable,
    no_address,
    opted_out,     // By the system's own word.
    unsubscribed,  // By ours.
    suppressed,
    invalid_address,  // It can be none.
    too_often,        // Over the cap of the kind that is asked about.
};
[[nodiscard]] std::string_view to_string(PersonStanding standing) noexcept;
[[nodiscard]] std::optional<PersonStanding> parse_standing(std::string_view word) noexcept;

/// One of an audience. Several devices are several contacts.
struct Person {
    struct Contact {
        Channel channel = Channel::email;
        std::string address;
        PersonStanding standing = PersonStanding::reachable;
    };
    std::string recipient;
    std::string locale;
    std::string time_zone;
    std::map<std::string, std::string> values;  // Other columns of the contact queries.
    std::vector<Contact> contacts;
};

/// Lists the people of an audience as they are now. Throws what libpqxx throws.
///
/// Bounds    people_a_look people in memory, looked_at_max a call.
/// Threads   any; both connections are its own while it reads.
class Directory {
public:
    static constexpr std::size_t people_a_look = 1'000;
    static constexpr std::size_t looked_at_max = 20'000;

    struct Wanted {
        const System& system;
        const Audience& audience;
        std::map<std::string, std::string> params;  // Of the audience.
        std::string list;            // What they may have unsubscribed from; "": nothing.
        const Kind* kind = nullptr;  // Whose cap counts; none: none does.
        std::optional<Channel> channel;
        std::optional<PersonStanding> standing;
        std::string search;  // Case-folded, part of an id, an address or a value; "": everybody.
    };
    explicit Directory(Wanted wanted) : wanted_{std::move(wanted)} {}

    /// Appends up to `limit` people in the order of their ids, and moves `after` behind the last
    /// one looked at. False at the end. May append fewer, even none, before the end.
    [[nodiscard]] bool read(postgres::Connection& source, postgres::Connection& ledger,
                            std::string& after, std::size_t limit, std::vector<Person>& people);

private:
    void add_contacts(postgres::Connection& source, postgres::Connection& ledger,
                      const std::string& recipients, Channel channel,
                      std::map<std::string, Person>& people) const;
    [[nodiscard]] bool is_wanted(Person& person) const;

    Wanted wanted_;
};

}  // namespace fanfare::api
