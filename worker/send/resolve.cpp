#include "worker/send/resolve.hpp"

#include "core/audience/address.hpp"
#include "core/ledger/addresses.hpp"
#include "core/ledger/caps.hpp"
#include "core/ledger/opt_outs.hpp"
#include "core/postgres/halving.hpp"

#include <pqxx/nontransaction>

#include <algorithm>
#include <optional>
#include <unordered_set>

namespace fanfare {
namespace {

using Column = pqxx::row::size_type;

std::optional<Column> column_of(const pqxx::result& rows, const char* name) {
    for (Column i = 0; i < rows.columns(); ++i) {
        if (std::string_view{rows.column_name(i)} == name) return i;
    }
    return std::nullopt;
}

/// Finds the index of `id` in the sorted recipients; most rows come in their order, so the
/// place after the last one found is tried first.
std::optional<std::size_t> index_of(const std::vector<std::string_view>& recipients,
                                    std::string_view id, std::size_t hint) {
    if (hint < recipients.size() && recipients[hint] == id) return hint;
    const auto found = std::lower_bound(recipients.begin(), recipients.end(), id);
    if (found == recipients.end() || *found != id) return std::nullopt;
    return static_cast<std::size_t>(found - recipients.begin());
}

bool says_yes(const pqxx::field& field) { return !field.is_null() && field.c_str()[0] == 't'; }

/// Decides on one row of the contact query: a target, or why not.
void read_row(const pqxx::row& row, Channel channel, Column address_column,
              std::optional<Column> opted_out, std::size_t index, Resolved& resolved) {
    auto& fate = resolved.fates[index];
    if (opted_out && says_yes(row[*opted_out])) {
        fate = merge(fate, {Outcome::opted_out, Reason::consent_withdrawn});
        return;
    }
    const auto address = row[address_column];
    const std::string_view written{address.c_str(), address.size()};
    std::string sent;
    const auto fault = read_address(channel, written, sent);
    if (fault == AddressFault::missing) {
        fate = merge(fate, {Outcome::no_address, Reason::address_missing});
    } else if (fault != AddressFault::none) {
        fate = merge(fate, {Outcome::refused, Reason::address_invalid});
    } else {
        const std::string_view form =
            sent == written ? written : resolved.forms.emplace_back(std::move(sent));
        resolved.targets.push_back({static_cast<std::uint32_t>(index),
                                    static_cast<std::int32_t>(row.num()), form, written});
    }
}

std::vector<std::string> addresses_of(const std::vector<Target>& targets) {
    std::vector<std::string> addresses;
    addresses.reserve(targets.size());
    for (const auto& target : targets) addresses.emplace_back(target.address);
    return addresses;
}

/// Keeps the targets whose flag is set; the others' recipients get `fate` unless another of
/// their addresses is kept.
void keep_only(std::vector<Target>& targets, std::vector<Fate>& fates,
               const std::vector<bool>& keep, Fate fate) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (keep[i]) {
            targets[kept++] = targets[i];
        } else {
            fates[targets[i].recipient] = merge(fates[targets[i].recipient], fate);
        }
    }
    targets.resize(kept);
}

void drop_people(const std::vector<std::string>& people, Fate fate,
                 const ledger::ClaimedChunk& chunk, Resolved& resolved) {
    if (people.empty()) return;
    const std::unordered_set<std::string_view> gone(people.begin(), people.end());
    std::vector<bool> keep;
    for (const auto& target : resolved.targets) {
        keep.push_back(!gone.contains(chunk.recipients.elements[target.recipient]));
    }
    keep_only(resolved.targets, resolved.fates, keep, fate);
}

/// Who takes a place and is not sent to after all gives it back when the chunk is recorded.
void drop_over_cap(postgres::Connection& ledger, const JobContext& job,
                   const ledger::ClaimedChunk& chunk, Resolved& resolved) {
    if (!job.kind->at_most || resolved.targets.empty()) return;
    const ledger::CapQuestion question{job.system->name, job.kind->name, job.job.id,
                                       job.kind->at_most->count, job.kind->at_most->window};
    postgres::ArrayLiteral people;
    for (const auto& target : resolved.targets) {
        people.add(chunk.recipients.elements[target.recipient]);
    }
    drop_people(ledger::take_places(ledger, question, chunk.key.channel, people.text()),
                {Outcome::suppressed, Reason::too_often}, chunk, resolved);
}

void drop_opted_out(postgres::Connection& ledger, const JobContext& job,
                    const ledger::ClaimedChunk& chunk, Resolved& resolved) {
    if (job.kind->list.empty() || resolved.targets.empty()) return;
    const auto out = ledger::opted_out(ledger, job.system->name, chunk.key.channel, job.kind->list,
                                       chunk.recipients_literal);
    drop_people(out, {Outcome::opted_out, Reason::consent_withdrawn}, chunk, resolved);
}

/// Of people with the same address one is told.
void drop_duplicates(postgres::Connection& ledger, const JobContext& job,
                     const ledger::ClaimedChunk& chunk, Resolved& resolved) {
    if (resolved.targets.empty()) return;
    const auto channel = chunk.key.channel;
    std::vector<ledger::AddressClaim> claims;
    for (const auto& target : resolved.targets) {
        claims.push_back(
            {std::string{target.address}, chunk.recipients.elements[target.recipient]});
    }
    keep_only(resolved.targets, resolved.fates,
              ledger::own_addresses(ledger, job.job.id, channel, claims),
              {Outcome::suppressed, Reason::duplicate_address});
}

/// Everybody whose fate is not final.
std::vector<std::uint32_t> open_positions(const ledger::ClaimedChunk& chunk) {
    std::vector<std::uint32_t> positions;
    positions.reserve(chunk.outcomes.size());
    for (std::uint32_t i = 0; i < chunk.outcomes.size(); ++i) {
        if (!is_final(static_cast<Outcome>(chunk.outcomes[i]))) positions.push_back(i);
    }
    return positions;
}

/// The contact query of one chunk, and who of it raises an error.
class ContactQuery {
public:
    using Positions = std::span<const std::uint32_t>;

    ContactQuery(postgres::Connection& source, const std::string& sql,
                 const ledger::ClaimedChunk& chunk)
        : source_{source}, sql_{sql}, chunk_{chunk} {}

    /// Asks for `positions`, and takes those out of them who raise errors.
    ContactsRead ask(std::vector<std::uint32_t>& positions, Resolved& resolved) {
        try {
            resolved.contacts = exec(positions);
            return ContactsRead::whole;
        } catch (const std::exception& fault) {
            if (postgres::is_timeout(fault)) return ContactsRead::slow;
            if (!postgres::is_data_error(fault)) throw;
        }
        if (everybody_fails(positions)) return ContactsRead::fails;
        if (!find_culprits(positions, resolved)) return ContactsRead::part;
        resolved.contacts = exec(positions);
        return ContactsRead::whole;
    }

private:
    static constexpr std::size_t sample_size = 16;
    static constexpr int questions_max = 400;
    struct EnoughAsked : std::exception {};

    pqxx::result exec(Positions positions) {
        pqxx::nontransaction work{source_.raw()};
        // Most often everybody is asked for, and the ledger has written that already.
        if (positions.size() == chunk_.outcomes.size()) {
            return work.exec_params(sql_, chunk_.recipients_literal);
        }
        postgres::ArrayLiteral people;
        for (const auto i : positions) people.add(chunk_.recipients.elements[i]);
        return work.exec_params(sql_, people.text());
    }

    /// Asks for some alone, others after each failure, so that nobody asks for a thousand people
    /// one by one where the query itself is to blame. Of few it is their own data.
    bool everybody_fails(Positions positions) {
        if (positions.size() < sample_size) return false;
        const auto step = positions.size() / sample_size;
        const auto first = static_cast<std::size_t>(chunk_.failures) % step;
        for (std::size_t i = 0; i < sample_size; ++i) {
            try {
                exec(positions.subspan(first + i * step, 1));
                return false;
            } catch (const std::exception& fault) {
                if (!postgres::is_data_error(fault)) throw;
            }
        }
        return true;
    }

    /// False when not everybody could be looked at.
    bool find_culprits(std::vector<std::uint32_t>& positions, Resolved& resolved) {
        int questions = 0;
        const auto look = [&](Positions some) {
            if (++questions > questions_max) throw EnoughAsked{};
            exec(some);
        };
        const auto blame = [&](std::uint32_t culprit, const std::exception&) {
            resolved.fates[culprit] = {Outcome::failed, Reason::recipient_invalid};
        };
        bool all = true;
        try {
            postgres::halve(Positions{positions}, look, blame);
        } catch (const EnoughAsked&) {
            all = false;
        }
        std::erase_if(positions, [&resolved](std::uint32_t i) {
            return resolved.fates[i].outcome != Outcome::pending;
        });
        return all;
    }

    postgres::Connection& source_;
    const std::string& sql_;
    const ledger::ClaimedChunk& chunk_;
};

/// Makes targets of the rows, or fates of why not; notes who has a row.
void read_rows(const ledger::ClaimedChunk& chunk, Resolved& resolved) {
    const auto& rows = resolved.contacts;
    const auto id_column = column_of(rows, "recipient_id");
    const auto address_column = column_of(rows, "address");
    const auto opted_out = column_of(rows, "opted_out");
    if (!id_column || !address_column) {
        throw postgres::QueryMistake{"the contact query yields no recipient_id or address"};
    }
    resolved.targets.reserve(rows.size());
    std::size_t hint = 0;
    for (const auto& row : rows) {
        const auto id = row[*id_column];
        const auto index = index_of(chunk.recipients.elements, {id.c_str(), id.size()}, hint);
        if (!index) continue;
        hint = *index + 1;
        resolved.seen[*index] = true;
        if (is_final(static_cast<Outcome>(chunk.outcomes[*index]))) continue;
        read_row(row, chunk.key.channel, *address_column, opted_out, *index, resolved);
    }
}

}  // namespace

ContactsRead load_contacts(postgres::Connection& source, const JobContext& job,
                           const ledger::ClaimedChunk& chunk, Resolved& resolved) {
    const auto& contact = job.system->contacts[static_cast<std::size_t>(chunk.key.channel)];
    resolved.targets.clear();
    resolved.forms.clear();
    resolved.fates.assign(chunk.recipients.elements.size(), {});
    resolved.seen.assign(chunk.recipients.elements.size(), false);
    auto asked = open_positions(chunk);
    if (contact) {
        ContactQuery query{source, contact->query.sql, chunk};
        const auto read = query.ask(asked, resolved);
        if (read != ContactsRead::whole) return read;
        read_rows(chunk, resolved);
    }
    for (const auto i : asked) {
        if (!resolved.seen[i]) resolved.fates[i] = {Outcome::no_address, Reason::recipient_gone};
    }
    return ContactsRead::whole;
}

void apply_suppressions(postgres::Connection& ledger, const JobContext& job,
                        const ledger::ClaimedChunk& chunk, Resolved& resolved) {
    drop_opted_out(ledger, job, chunk, resolved);
    if (resolved.targets.empty()) return;
    const auto channel = chunk.key.channel;
    const auto addresses = addresses_of(resolved.targets);
    auto keep = ledger::find_suppressed(ledger, channel, addresses);
    keep.flip();
    keep_only(resolved.targets, resolved.fates, keep,
              {Outcome::suppressed, Reason::on_suppression_list});
    drop_over_cap(ledger, job, chunk, resolved);
    if (job.kind->dedupe == Dedupe::address) drop_duplicates(ledger, job, chunk, resolved);
}

}  // namespace fanfare
