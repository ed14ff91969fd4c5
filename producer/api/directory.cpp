#include "producer/api/directory.hpp"

#include "core/audience/address.hpp"
#include "core/ledger/addresses.hpp"
#include "core/ledger/opt_outs.hpp"
#include "producer/api/source.hpp"
#include "worker/rendering/utf8.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

namespace fanfare::api {
namespace {

constexpr std::array<std::string_view, 5> words{"reachable", "no_address", "opted_out",
                                                "unsubscribed", "suppressed"};

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
        auto text = text_of(row, i);
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

}  // namespace

std::string_view to_string(Standing standing) noexcept {
    return words[static_cast<std::size_t>(standing)];
}

std::optional<Standing> parse_standing(std::string_view word) noexcept {
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) return std::nullopt;
    return static_cast<Standing>(found - words.begin());
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
    pqxx::nontransaction work{source.raw()};
    const auto rows = work.exec_params(contact->query.sql, recipients);
    const auto id_column = column_of(rows, "recipient_id");
    const auto address_column = column_of(rows, "address");
    const auto consent_column = column_of(rows, "opted_out");
    std::vector<std::string> addresses;
    for (const auto& row : rows) {
        auto& sent = addresses.emplace_back();
        std::ignore = read_address(channel, text_of(row, address_column), sent);
    }
    const auto suppressed = ledger::find_suppressed(ledger, channel, addresses);
    std::vector<std::string> out;
    if (!wanted_.list.empty()) {
        out = ledger::opted_out(ledger, wanted_.system.name, channel, wanted_.list, recipients);
    }
    const std::set<std::string, std::less<>> gone(out.begin(), out.end());
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const auto row = rows[static_cast<pqxx::result::size_type>(i)];
        const auto known = people.find(text_of(row, id_column));
        if (known == people.end()) continue;
        auto& person = known->second;
        describe(rows, row, person);
        auto& one = person.contacts.emplace_back();
        one.channel = channel;
        one.address = text_of(row, address_column);
        if (gone.contains(person.recipient)) {
            one.standing = Standing::unsubscribed;
        } else if (text_of(row, consent_column) == "t") {
            one.standing = Standing::opted_out;
        } else if (one.address.empty()) {
            one.standing = Standing::no_address;
        } else if (suppressed[i]) {
            one.standing = Standing::suppressed;
        }
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
