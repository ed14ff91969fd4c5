#include "worker/send/resolve.hpp"

#include "core/ledger/caps.hpp"
#include "core/postgres/halving.hpp"
#include "worker/send/contact_query.hpp"

#include <algorithm>
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
std::function<std::vector<std::string>(const std::string&)> make_place_taker(
    postgres::Connection& ledger, const Claim& claim) {
    const auto& job = *claim.job;
    if (!job.kind->at_most) return {};
    ledger::CapQuestion question{job.system->name, job.kind->name, job.origin,
                                 job.kind->at_most->count, job.kind->at_most->window};
    return [&ledger, &claim, question = std::move(question)](const std::string& people) {
        return ledger::take_places(ledger, question, claim.key.channel, claim, people);
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

/// Sorts people and keeps each once; returns them as an array literal.
std::string keep_each_once(std::vector<std::string_view>& people) {
    std::sort(people.begin(), people.end());
    people.erase(std::unique(people.begin(), people.end()), people.end());
    postgres::ArrayLiteral literal;
    for (const auto person : people) literal.add(person);
    return literal.text();
}

void begin(const ledger::ChunkPeople& people, Resolved& resolved) {
    const auto count = people.recipients.elements.size();
    resolved.clear(count);
    resolved.fates.assign(count, {});
    resolved.exclusions.assign(count, Exclusion::none);
}

/// Of those whose fate is not final.
void take_rows(Channel channel, const ledger::ChunkPeople& people, Resolved& resolved) {
    read_contacts(channel, people.recipients.elements, resolved);
    std::erase_if(resolved.targets, [&people](const Target& target) {
        return is_final(static_cast<Outcome>(people.outcomes[target.recipient]));
    });
    drop_excluded(resolved);
}

void leave_the_gone(std::span<const std::uint32_t> asked, Resolved& resolved) {
    for (const auto i : asked) {
        if (!resolved.seen[i]) resolved.fates[i] = to_fate(Exclusion::gone);
    }
}

}  // namespace

ContactsRead load_contacts(postgres::Connection& source, const Claim& claim,
                           const ledger::ChunkPeople& people, Resolved& resolved) {
    const auto channel = claim.key.channel;
    begin(people, resolved);
    auto asked = open_positions(people);
    if (find_contact(*claim.job, channel)) {
        const bool may_try = claim.lane != Lane::urgent;
        ContactQuery query{source, *claim.job, channel, people, claim.failures, may_try};
        const auto read = query.ask(asked, resolved);
        if (read != ContactsRead::whole) return read;
        take_rows(channel, people, resolved);
    }
    leave_the_gone(asked, resolved);
    return ContactsRead::whole;
}

bool load_contacts_together(postgres::Connection& source, std::span<const PeopleLookup> lookups) {
    std::vector<std::string_view> ids;
    for (const auto& one : lookups) {
        for (const auto i : open_positions(*one.people)) {
            ids.push_back(one.people->recipients.elements[i]);
        }
    }
    const auto literal = keep_each_once(ids);
    const auto& first = *lookups.front().claim;
    pqxx::result rows;
    try {
        rows = ContactQuery::ask_by_key(source, *first.job, first.key.channel, literal);
    } catch (const std::exception& fault) {
        if (!postgres::is_data_error(fault)) throw;
        return false;
    }
    for (const auto& one : lookups) {
        begin(*one.people, *one.resolved);
        one.resolved->rows = rows;
        take_rows(first.key.channel, *one.people, *one.resolved);
        leave_the_gone(open_positions(*one.people), *one.resolved);
    }
    return true;
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
                           .over_cap = make_place_taker(ledger, claim)};
    if (job.kind->dedupe == Dedupe::address) {
        question.own = [&](std::span<const ledger::AddressClaim> claims) {
            return ledger::own_addresses(ledger, job.origin, channel, claims);
        };
    }
    exclude(ledger, question, people.recipients.elements, resolved.targets);
    drop_excluded(resolved);
}

bool may_be_asked_together(const JobContext& job) {
    return !job.kind->at_most && job.kind->dedupe == Dedupe::person;
}

void apply_suppressions_together(postgres::Connection& ledger,
                                 std::span<const PeopleLookup> lookups) {
    const auto id_of = [](const PeopleLookup& one, const Target& target) {
        return one.people->recipients.elements[target.recipient];
    };
    std::vector<std::string_view> people;
    for (const auto& one : lookups) {
        for (const auto& target : one.resolved->targets) people.push_back(id_of(one, target));
    }
    auto literal = keep_each_once(people);
    std::vector<Target> targets;
    for (const auto& one : lookups) {
        for (auto target : one.resolved->targets) {
            const auto place = std::lower_bound(people.begin(), people.end(), id_of(one, target));
            target.recipient = static_cast<std::uint32_t>(place - people.begin());
            targets.push_back(target);
        }
    }
    const auto& first = *lookups.front().claim;
    const ReachQuestion question{.system = first.job->system->name,
                                 .channel = first.key.channel,
                                 .list = first.job->kind->list,
                                 .recipients = std::move(literal)};
    exclude(ledger, question, people, targets);
    auto answer = targets.begin();
    for (const auto& one : lookups) {
        for (auto& target : one.resolved->targets) target.exclusion = (answer++)->exclusion;
        drop_excluded(*one.resolved);
    }
}

}  // namespace fanfare
