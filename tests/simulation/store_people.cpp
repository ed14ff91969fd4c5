// Who leaves a chunk for another one, because they sleep or cannot be reached there, and who may be
// told of a kind how often.
#include "core/domain/doubt.hpp"
#include "core/postgres/connection.hpp"
#include "tests/simulation/store_model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare::simulation {
namespace {

unsigned bit_of(Channel channel) { return 1U << static_cast<unsigned>(channel); }

std::vector<std::string> people_at(const std::vector<std::string>& people,
                                   const std::vector<std::uint32_t>& positions) {
    std::vector<std::string> some;
    for (const auto position : positions) some.push_back(people[position]);
    return some;
}

/// What the ledger says of people who stay.
void keep(ledger::ChunkPeople& people, const std::vector<std::string>& staying) {
    people.recipients_literal = fmt::format("{{{}}}", fmt::join(staying, ","));
    postgres::parse_array(people.recipients_literal, people.recipients);
    for (auto* const bytes :
         {&people.outcomes, &people.reasons, &people.attempts, &people.causes}) {
        bytes->assign(staying.size(), '\0');
    }
    people.provider_ids.clear();
}

}  // namespace

std::int32_t StoreModel::next_split_number(const std::string& job) const {
    auto number = ledger::split_begin;
    for (const auto& [key, chunk] : chunks_) {
        const bool is_split = key.job == job && key.number >= ledger::split_begin;
        if (is_split) number = std::max(number, key.number + 1);
    }
    return number;
}

bool StoreModel::split(const ledger::ChunkClaim& claim, ledger::ChunkPeople& people,
                       std::span<const ledger::Split> splits) {
    auto& chunk = chunks_.at(claim.key);
    const std::vector<std::string> asked{people.recipients.elements.begin(),
                                         people.recipients.elements.end()};
    std::vector<bool> leaves(asked.size());
    for (const auto& split : splits) {
        for (const auto position : split.positions) leaves[position] = true;
    }
    std::vector<std::string> staying;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (!leaves[i]) staying.push_back(asked[i]);
    }
    const bool is_ours = chunk.state == State::claimed && chunk.epoch == claim.epoch;
    if (!is_ours && plant_ != Plant::split_unfenced) return false;
    // Its answer was lost.
    const bool is_made = chunk.recipients.size() != asked.size() && plant_ != Plant::split_repeated;
    if (is_made && chunk.recipients.size() != staying.size()) return false;
    if (!is_made) {
        for (const auto& split : splits) {
            if (plant_ == Plant::sleepers_dropped) break;
            const ledger::ChunkKey key{claim.key.job, claim.key.channel,
                                       next_split_number(claim.key.job)};
            auto leaving = people_at(asked, split.positions);
            if (plant_ == Plant::stayers_leave) leaving = asked;
            add(key, std::move(leaving), claim.on_doubt);
            auto& later = chunks_.at(key);
            later.next_at = later.publish_at = steady(split.next_at);
            later.due_at = later.next_at;
        }
        const auto count = staying.size();
        chunk.recipients = staying;
        for (auto* const bytes : {&chunk.outcomes, &chunk.reasons, &chunk.attempts, &chunk.causes,
                                  &chunk.begun, &chunk.truly_begun}) {
            bytes->assign(count, '\0');
        }
        chunk.ids.assign(count, {});
        chunk.is_untouched = true;
        chunk.updated_at = now();
        story_.tell("chunk {}/{} is split: {} stay", claim.key.job, claim.key.number, count);
    }
    keep(people, staying);
    return true;
}

void StoreModel::complete(const ledger::ChunkRecord& record) {
    if (record.fallback && plant_ != Plant::fallback_apart) {
        add_fallback(record.key, *record.fallback);
    }
    if (record.counted.count() > 0) settle_places(record.key);
}

void StoreModel::add_fallback(const ledger::ChunkKey& key, const ledger::FallbackChunk& fallback) {
    ledger::ChunkKey to{key.job, fallback.channel, key.number};
    auto people = fallback.recipients;
    if (chunks_.contains(to)) {
        for (const auto& [other, chunk] : chunks_) {
            const bool may_have =
                other.job == key.job && other.channel == to.channel &&
                (other.number == key.number || other.number >= ledger::split_begin);
            if (!may_have || plant_ == Plant::fallback_again) continue;
            std::erase_if(people, [&theirs = chunk.recipients](const auto& one) {
                return std::find(theirs.begin(), theirs.end(), one) != theirs.end();
            });
        }
        if (people.empty()) return;
        to.number = next_split_number(key.job);
    }
    add(to, std::move(people), fallback.on_doubt);
}

std::vector<std::string> StoreModel::take_places(const std::string& origin, Channel channel,
                                                 const ledger::ChunkClaim& claim,
                                                 std::size_t at_most,
                                                 std::span<const std::string> people) {
    const auto found = chunks_.find(claim.key);
    const bool is_held = found != chunks_.end() && found->second.state == State::claimed &&
                         found->second.epoch == claim.epoch;
    std::vector<std::string> over;
    for (const auto& person : people) {
        const auto human = human_of(person);
        const auto mine = places_.find({human, origin});
        std::size_t others = 0;
        for (auto i = places_.lower_bound({human, {}}); i != places_.end(); ++i) {
            if (i->first.first != human) break;
            if (i->first.second != origin) ++others;
        }
        if (mine == places_.end() && others >= at_most) {
            over.push_back(person);
        } else if (is_held && plant_ != Plant::place_looked_at) {
            places_[{human, origin}].channels |= bit_of(channel);
        }
    }
    return over;
}

/// Whoever may have been told keeps it, whatever becomes of them in the job that takes them over.
void StoreModel::keep_place(const std::string& person, const std::string& job) {
    constexpr unsigned stays = 8;
    const auto found = places_.find({human_of(person), origin_of(job)});
    if (found == places_.end() || plant_ == Plant::replay_gives_place_back) return;
    found->second.channels |= stays;
}

void StoreModel::settle_places(const ledger::ChunkKey& key) {
    const auto& chunk = chunks_.at(key);
    const auto bit = bit_of(key.channel);
    for (std::size_t i = 0; i < chunk.recipients.size(); ++i) {
        const auto outcome = static_cast<Outcome>(chunk.outcomes[i]);
        const bool may_be_told = is_told(outcome) || (outcome == Outcome::unknown &&
                                                      plant_ != Plant::place_of_doubt_given_back);
        const std::pair place{human_of(chunk.recipients[i]), origin_of(key.job)};
        if (may_be_told) {
            places_[place].channels |= bit;
        } else if (is_final(outcome) && outcome != Outcome::replayed &&
                   plant_ != Plant::place_kept) {
            const auto found = places_.find(place);
            if (found == places_.end()) continue;
            found->second.channels &= ~bit;
            if (found->second.channels == 0) places_.erase(found);
        }
    }
}

}  // namespace fanfare::simulation
