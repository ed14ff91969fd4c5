#include "producer/api/directory.hpp"

#include "core/audience/reach.hpp"
#include "core/audience/source.hpp"
#include "core/rendering/utf8.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>

#include <algorithm>
#include <array>

namespace fanfare::api {
namespace {

constexpr std::array<std::string_view, 7> words{"reachable",    "no_address", "opted_out",
                                                "unsubscribed", "suppressed", "invalid_address",
                                                "too_often"};

std::vector<std::string> ids_after(postgres::Connection& source, const Directory::Wanted& wanted,
                                   const std::string& after) {
    pqxx::nontransaction work{source.raw()};
    auto values = wanted.audience.values(wanted.params);
    values.push_back(after.c_str());
    const auto rows = work.exec_params(
        fmt::format("SELECT DISTINCT a.recipient_id::text COLLATE \"C\" FROM ({}\n) a "
                    "WHERE a.recipient_id::text COLLATE \"C\" > ${} ORDER BY 1 LIMIT {}",
                    wanted.audience.query.sql, values.size(), Directory::people_a_look),
        pqxx::prepare::make_dynamic_params(values.begin(), values.end()));
    std::vector<std::string> ids;
    for (const auto& row : rows) ids.emplace_back(row[0].c_str());
    return ids;
}

bool contains(std::string_view text, const std::string& search) {
    return case_folded(text).find(search) != std::string::npos;
}

bool matches(const Person& person, const std::string& search) {
    return search.empty() || contains(person.recipient, search) ||
           std::any_of(person.values.begin(), person.values.end(),
                       [&](const auto& value) { return contains(value.second, search); }) ||
           std::any_of(person.contacts.begin(), person.contacts.end(),
                       [&](const auto& contact) { return contains(contact.address, search); });
}

/// What a row says of the person.
void describe(const pqxx::result& rows, const pqxx::row& row, Person& person) {
    for (Column i = 0; i < rows.columns(); ++i) {
        const std::string name{rows.column_name(i)};
        auto text = column_text(row, i);
        if (text.empty()) continue;
        if (name == "locale") {
            person.locale = std::move(text);
        } else if (name == "time_zone") {
            person.time_zone = std::move(text);
        } else if (is_personal(name)) {
            person.values.emplace(name, std::move(text));
        }
    }
}

PersonStanding to_standing(Exclusion exclusion) {
    switch (exclusion) {
        case Exclusion::gone:
        case Exclusion::no_address:
            return PersonStanding::no_address;
        case Exclusion::opted_out:
            return PersonStanding::opted_out;
        case Exclusion::invalid_address:
            return PersonStanding::invalid_address;
        case Exclusion::unsubscribed:
            return PersonStanding::unsubscribed;
        case Exclusion::suppressed:
            return PersonStanding::suppressed;
        case Exclusion::too_often:
            return PersonStanding::too_often;
        case Exclusion::none:
        case Exclusion::duplicate:  // Of a job: who of several is told there is known by then.
            return PersonStanding::reachable;
    }
    return PersonStanding::reachable;
}

}  // namespace

std::string_view to_string(PersonStanding standing) noexcept {
    return words[static_cast<std::size_t>(standing)];
}

std::optional<PersonStanding> parse_standing(std::string_view word) noexcept {
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) return std::nullopt;
    return static_cast<PersonStanding>(found - words.begin());
}

bool Directory::read(postgres::Connection& source, postgres::Connection& ledger, std::string& after,
                     std::size_t limit, std::vector<Person>& people) {
    for (std::size_t looked_at = 0; looked_at < looked_at_max; looked_at += people_a_look) {
        const auto ids = ids_after(source, wanted_, after);
        std::map<std::string, Person> found;
        postgres::ArrayLiteral recipients;
        for (const auto& id : ids) {
            found[id].recipient = id;
            recipients.add(id);
        }
        for (const auto channel : channels) {
            const bool asked = !wanted_.channel || *wanted_.channel == channel;
            if (asked) add_contacts(source, ledger, recipients.text(), channel, found);
        }
        for (const auto& id : ids) {
            if (limit == 0) return true;
            after = id;
            auto& person = found[id];
            if (!is_wanted(person)) continue;
            people.push_back(std::move(person));
            --limit;
        }
        if (ids.size() < people_a_look) return false;
        if (limit == 0) return true;
    }
    return true;
}

void Directory::add_contacts(postgres::Connection& source, postgres::Connection& ledger,
                             const std::string& recipients, Channel channel,
                             std::map<std::string, Person>& people) const {
    const auto& contact = wanted_.system.contacts[static_cast<std::size_t>(channel)];
    if (!contact) return;
    std::vector<std::string> asked;
    for (const auto& [id, person] : people) asked.push_back(id);
    const std::vector<std::string_view> ids(asked.begin(), asked.end());
    Contacts contacts;
    contacts.clear(ids.size());
    contacts.rows = ask_contacts(source, contact->query.sql, asked);
    read_contacts(channel, ids, contacts);
    ReachQuestion question{.system = wanted_.system.name,
                           .channel = channel,
                           .list = wanted_.list,
                           .recipients = recipients};
    if (wanted_.kind != nullptr) {
        question.over_cap = caps_lookup(ledger, wanted_.system, *wanted_.kind);
    }
    exclude(ledger, question, ids, contacts.targets);
    for (const auto& target : contacts.targets) {
        auto& person = people.find(std::string{ids[target.recipient]})->second;
        describe(contacts.rows, contacts.find_row(target), person);
        person.contacts.push_back(
            {channel, std::string{target.written}, to_standing(target.exclusion)});
    }
}

/// Keeps the contacts that are asked for.
bool Directory::is_wanted(Person& person) const {
    if (!matches(person, wanted_.search)) return false;
    if (wanted_.standing) {
        std::erase_if(person.contacts, [this](const auto& contact) {
            return contact.standing != *wanted_.standing;
        });
    }
    return !person.contacts.empty() || (!wanted_.channel && !wanted_.standing);
}

}  // namespace fanfare::api
