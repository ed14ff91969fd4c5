#include "core/audience/reach.hpp"

#include "core/audience/address.hpp"
#include "core/ledger/opt_outs.hpp"
#include "core/postgres/halving.hpp"

#include <pqxx/nontransaction>

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

namespace fanfare {
namespace {

using Column = pqxx::row::size_type;

bool says_yes(const pqxx::field& field) { return !field.is_null() && field.c_str()[0] == 't'; }

/// Finds the index of `id` in the sorted people; most rows come in their order, so the place after
/// the last one found is tried first.
std::optional<std::size_t> find_index(std::span<const std::string_view> people, std::string_view id,
                                      std::size_t hint) {
    if (hint < people.size() && people[hint] == id) return hint;
    const auto found = std::lower_bound(people.begin(), people.end(), id);
    if (found == people.end() || *found != id) return std::nullopt;
    return static_cast<std::size_t>(found - people.begin());
}

/// The address of a row, and whether there is one. `sent` is reused.
void read_field(Channel channel, const pqxx::field& field, std::string& sent, Contacts& contacts,
                Target& target) {
    target.written = {field.c_str(), field.size()};
    const auto fault = read_address(channel, target.written, sent);
    if (fault == AddressFault::missing) {
        target.exclusion = Exclusion::no_address;
    } else if (fault != AddressFault::none) {
        target.exclusion = Exclusion::invalid_address;
    } else if (sent == target.written) {
        target.address = target.written;
    } else {
        target.address = contacts.forms.emplace_back(sent);
    }
}

/// The targets that nothing stands against yet, looked at step by step.
class Sieve {
public:
    Sieve(std::span<const std::string_view> people, std::vector<Target>& targets)
        : people_{people} {
        for (auto& target : targets) {
            if (target.exclusion == Exclusion::none) open_.push_back(&target);
        }
    }

    [[nodiscard]] bool empty() const noexcept { return open_.empty(); }

    [[nodiscard]] std::string people_literal() const {
        postgres::ArrayLiteral literal;
        for (const auto* const target : open_) literal.add(people_[target->recipient]);
        return literal.text();
    }
    [[nodiscard]] std::vector<std::string_view> addresses() const {
        std::vector<std::string_view> addresses;
        addresses.reserve(open_.size());
        for (const auto* const target : open_) addresses.push_back(target->address);
        return addresses;
    }
    [[nodiscard]] std::vector<ledger::AddressClaim> claims() const {
        std::vector<ledger::AddressClaim> claims;
        claims.reserve(open_.size());
        for (const auto* const target : open_) {
            claims.push_back({target->address, people_[target->recipient]});
        }
        return claims;
    }

    void drop(const std::vector<bool>& falls, Exclusion exclusion) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < open_.size(); ++i) {
            if (falls[i]) {
                open_[i]->exclusion = exclusion;
            } else {
                open_[kept++] = open_[i];
            }
        }
        open_.resize(kept);
    }
    void drop(const std::vector<std::string>& people, Exclusion exclusion) {
        if (people.empty()) return;
        const std::unordered_set<std::string_view> gone(people.begin(), people.end());
        std::vector<bool> falls;
        falls.reserve(open_.size());
        for (const auto* const target : open_) {
            falls.push_back(gone.contains(people_[target->recipient]));
        }
        drop(falls, exclusion);
    }

private:
    std::span<const std::string_view> people_;
    std::vector<Target*> open_;
};

}  // namespace

void Contacts::clear(std::size_t people) {
    rows = {};
    forms.clear();
    targets.clear();
    seen.assign(people, false);
}

pqxx::row Contacts::find_row(const Target& target) const {
    return rows[static_cast<pqxx::result::size_type>(target.row)];
}

std::optional<Column> find_column(const pqxx::result& rows, std::string_view name) {
    for (Column i = 0; i < rows.columns(); ++i) {
        if (name == rows.column_name(i)) return i;
    }
    return std::nullopt;
}

pqxx::result ask_contacts(postgres::Connection& source, const std::string& sql,
                          std::span<const std::string> people) {
    constexpr int questions_max = 400;
    const auto ask = [&](std::span<const std::string> some) {
        pqxx::nontransaction work{source.raw()};
        return work.exec_params(sql, postgres::to_array_literal(some));
    };
    try {
        return ask(people);
    } catch (const std::exception& fault) {
        if (!postgres::is_data_error(fault)) throw;
    }
    int questions = 0;
    std::unordered_set<std::string_view> refused;
    const auto look = [&](std::span<const std::string> some) {
        if (++questions > questions_max) {
            throw postgres::QueryMistake{"the contact query fails for too many people"};
        }
        ask(some);
    };
    postgres::halve(people, look, [&refused](const std::string& person, const std::exception&) {
        refused.insert(person);
    });
    std::vector<std::string> others;
    for (const auto& person : people) {
        if (!refused.contains(person)) others.push_back(person);
    }
    return ask(others);
}

void read_contacts(Channel channel, std::span<const std::string_view> people, Contacts& contacts) {
    const auto& rows = contacts.rows;
    const auto id_column = find_column(rows, "recipient_id");
    const auto address_column = find_column(rows, "address");
    const auto opted_out = find_column(rows, "opted_out");
    const auto time_zone = find_column(rows, "time_zone");
    if (!id_column || !address_column) {
        throw postgres::QueryMistake{"the contact query yields no recipient_id or address"};
    }
    contacts.targets.reserve(rows.size());
    std::size_t hint = 0;
    std::string sent;
    for (const auto& row : rows) {
        const auto id = row[*id_column];
        const auto index = find_index(people, {id.c_str(), id.size()}, hint);
        if (!index) continue;
        hint = *index + 1;
        contacts.seen[*index] = true;
        auto& target = contacts.targets.emplace_back();
        target.recipient = static_cast<std::uint32_t>(*index);
        target.row = static_cast<std::int32_t>(row.num());
        read_field(channel, row[*address_column], sent, contacts, target);
        if (opted_out && says_yes(row[*opted_out])) target.exclusion = Exclusion::opted_out;
        if (time_zone) {
            const auto zone = row[*time_zone];
            target.time_zone = {zone.c_str(), zone.size()};
        }
    }
}

std::string find_only_id(const pqxx::result& rows) {
    const auto column = find_column(rows, "recipient_id");
    if (!column || rows.empty()) return {};
    std::string id{rows[0][*column].c_str()};
    for (const auto& row : rows) {
        if (id != row[*column].c_str()) return {};
    }
    return id;
}

std::vector<std::string> addresses_now(postgres::Connection& source, const System& system,
                                       Channel channel, const std::string& recipient) {
    const auto& contact = system.contacts[static_cast<std::size_t>(channel)];
    if (!contact) return {};
    Contacts contacts;
    contacts.clear(1);
    try {
        pqxx::nontransaction work{source.raw()};
        const std::vector<std::string> asked{recipient};
        contacts.rows = work.exec_params(contact->query.sql, postgres::to_array_literal(asked));
    } catch (const std::exception& fault) {
        if (!postgres::is_data_error(fault)) throw;
        return {};  // Nobody the system could know.
    }
    // Only one was asked for: what comes is theirs, however the system writes their id.
    const auto known_as = find_only_id(contacts.rows);
    const std::array<std::string_view, 1> people{known_as.empty() ? recipient : known_as};
    read_contacts(channel, people, contacts);
    std::vector<std::string> addresses;
    for (const auto& target : contacts.targets) {
        if (!target.address.empty()) addresses.emplace_back(target.address);
    }
    return addresses;
}

void exclude(postgres::Connection& ledger, const ReachQuestion& question,
             std::span<const std::string_view> people, std::vector<Target>& targets) {
    Sieve sieve{people, targets};
    if (!question.list.empty() && !sieve.empty()) {
        const auto gone = ledger::opted_out(ledger, question.system, question.channel,
                                            question.list, question.recipients);
        sieve.drop(gone.people, Exclusion::unsubscribed);
        if (gone.with_addresses && !sieve.empty()) {
            sieve.drop(ledger::left_with(ledger, question.system, question.channel, question.list,
                                         sieve.addresses()),
                       Exclusion::unsubscribed);
        }
    }
    if (sieve.empty()) return;
    sieve.drop(ledger::find_suppressed(ledger, question.channel, sieve.addresses()),
               Exclusion::suppressed);
    if (question.over_cap && !sieve.empty()) {
        sieve.drop(question.over_cap(sieve.people_literal()), Exclusion::too_often);
    }
    if (question.own && !sieve.empty()) {
        auto owned = question.own(sieve.claims());
        owned.flip();
        sieve.drop(owned, Exclusion::duplicate);
    }
}

}  // namespace fanfare
