#include "worker/send/resolve.hpp"

#include "core/ledger/caps.hpp"
#include "worker/send/contact_query.hpp"

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
        ContactQuery query{source, *claim.job, channel, people, claim.failures};
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
                           .over_cap = make_place_taker(ledger, job, channel)};
    if (job.kind->dedupe == Dedupe::address) {
        question.own = [&](std::span<const ledger::AddressClaim> claims) {
            return ledger::own_addresses(ledger, job.origin, channel, claims);
        };
    }
    exclude(ledger, question, people.recipients.elements, resolved.targets);
    drop_excluded(resolved);
}

}  // namespace fanfare
