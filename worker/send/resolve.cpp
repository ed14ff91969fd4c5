#include "worker/send/resolve.hpp"

#include "core/ledger/caps.hpp"
#include "core/postgres/halving.hpp"

#include <pqxx/nontransaction>

#include <functional>
#include <utility>

namespace fanfare {
namespace {

/// Keeps those as targets whom nothing stands against. Who has none left has their fate.
void drop_excluded(Resolved& resolved) {
    std::vector<bool> is_open(resolved.fates.size());
    for (const auto& target : resolved.targets) {
        if (target.exclusion == Exclusion::none) is_open[target.recipient] = true;
    }
    for (const auto& target : resolved.targets) {
        auto& known = resolved.exclusions[target.recipient];
        if (target.exclusion == Exclusion::none) continue;
        known = known == Exclusion::none ? target.exclusion : of_person(known, target.exclusion);
    }
    for (const auto& target : resolved.targets) {
        if (is_open[target.recipient]) continue;
        auto& fate = resolved.fates[target.recipient];
        fate = merge(fate, to_fate(resolved.exclusions[target.recipient]));
    }
    std::erase_if(resolved.targets,
                  [](const Target& target) { return target.exclusion != Exclusion::none; });
}

/// Who takes a place and is not sent to after all gives it back when the chunk is recorded.
std::function<std::vector<std::string>(const std::string&)> caps_lookup(
    postgres::Connection& ledger, const JobContext& job, Channel channel) {
    if (!job.kind->at_most) return {};
    ledger::CapQuestion question{job.system->name, job.kind->name, job.origin,
                                 job.kind->at_most->count, job.kind->at_most->window};
    return [&ledger, channel, question = std::move(question)](const std::string& people) {
        return ledger::take_places(ledger, question, channel, people);
    };
}

/// Everybody whose fate is not final.
std::vector<std::uint32_t> open_positions(const ledger::ChunkPeople& people) {
    std::vector<std::uint32_t> positions;
    positions.reserve(people.outcomes.size());
    for (std::uint32_t i = 0; i < people.outcomes.size(); ++i) {
        if (!is_final(static_cast<Outcome>(people.outcomes[i]))) positions.push_back(i);
    }
    return positions;
}

/// The contact query of one chunk, and who of it raises an error.
class ContactQuery {
public:
    using Positions = std::span<const std::uint32_t>;

    /// `turn`: another sample each time it is asked whether everybody fails.
    ContactQuery(postgres::Connection& source, const std::string& sql,
                 const ledger::ChunkPeople& people, std::int32_t turn)
        : source_{source}, sql_{sql}, people_{people}, turn_{static_cast<std::size_t>(turn)} {}

    /// Asks for `positions`, and takes those out of them who raise errors.
    ContactsRead ask(std::vector<std::uint32_t>& positions, Resolved& resolved) {
        try {
            resolved.rows = exec(positions);
            return ContactsRead::whole;
        } catch (const std::exception& fault) {
            if (postgres::is_timeout(fault)) return ContactsRead::slow;
            if (!postgres::is_data_error(fault)) throw;
        }
        if (everybody_fails(positions)) return ContactsRead::fails;
        if (!find_culprits(positions, resolved)) return ContactsRead::part;
        resolved.rows = exec(positions);
        return ContactsRead::whole;
    }

private:
    static constexpr std::size_t sample_size = 16;
    static constexpr int questions_max = 400;
    struct EnoughAsked : std::exception {};

    pqxx::result exec(Positions positions) {
        pqxx::nontransaction work{source_.raw()};
        // Most often everybody is asked for, and the ledger has written that already.
        if (positions.size() == people_.outcomes.size()) {
            return work.exec_params(sql_, people_.recipients_literal);
        }
        postgres::ArrayLiteral people;
        for (const auto i : positions) people.add(people_.recipients.elements[i]);
        return work.exec_params(sql_, people.text());
    }

    /// Asks for some alone, others after each failure, so that nobody asks for a thousand people
    /// one by one where the query itself is to blame. Of few it is their own data.
    bool everybody_fails(Positions positions) {
        if (positions.size() < sample_size) return false;
        const auto step = positions.size() / sample_size;
        const auto first = turn_ % step;
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
    const ledger::ChunkPeople& people_;
    std::size_t turn_;
};

}  // namespace

ContactsRead load_contacts(postgres::Connection& source, const Claim& claim,
                           const ledger::ChunkPeople& people, Resolved& resolved) {
    const auto channel = claim.key.channel;
    const auto& contact = claim.job->system->contacts[static_cast<std::size_t>(channel)];
    const auto& ids = people.recipients.elements;
    resolved.clear(ids.size());
    resolved.fates.assign(ids.size(), {});
    resolved.exclusions.assign(ids.size(), Exclusion::none);
    auto asked = open_positions(people);
    if (contact) {
        ContactQuery query{source, contact->query.sql, people, claim.failures};
        const auto read = query.ask(asked, resolved);
        if (read != ContactsRead::whole) return read;
        read_contacts(channel, ids, resolved);
        std::erase_if(resolved.targets, [&people](const Target& target) {
            return is_final(static_cast<Outcome>(people.outcomes[target.recipient]));
        });
        drop_excluded(resolved);
    }
    for (const auto i : asked) {
        if (!resolved.seen[i]) resolved.fates[i] = to_fate(Exclusion::gone);
    }
    return ContactsRead::whole;
}

void apply_suppressions(postgres::Connection& ledger, const Claim& claim,
                        const ledger::ChunkPeople& people, Resolved& resolved) {
    if (resolved.targets.empty()) return;
    const JobContext& job = *claim.job;
    const auto channel = claim.key.channel;
    ReachQuestion question{.system = job.system->name,
                           .channel = channel,
                           .list = job.kind->list,
                           .recipients = people.recipients_literal,
                           .over_cap = caps_lookup(ledger, job, channel)};
    if (job.kind->dedupe == Dedupe::address) {
        question.own = [&](std::span<const ledger::AddressClaim> claims) {
            return ledger::own_addresses(ledger, job.origin, channel, claims);
        };
    }
    exclude(ledger, question, people.recipients.elements, resolved.targets);
    drop_excluded(resolved);
}

}  // namespace fanfare
