#include "cli/audit_book.hpp"

#include "core/domain/doubt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fanfare::cli {
namespace {

constexpr std::array<std::string_view, audit_set_count> set_names{
    "lost",         "doubled",          "falsely_sent", "unexpected",   "told_again",
    "unknown_told", "unknown_not_told", "under_way",    "refused_later"};

/// A second message is a fault only where the rule forbids it, and where it is surely to the same
/// place: one person may have several devices.
AuditSet name_repeat(const AuditedPerson& person) {
    if (person.may_repeat) return AuditSet::told_again;
    const bool is_surely_one = person.channel != Channel::push || person.has_devices;
    return is_surely_one ? AuditSet::doubled : AuditSet::told_again;
}

std::uint32_t judge_doubt(const AuditedPerson& person) {
    return bit(person.told > 0 ? AuditSet::unknown_told : AuditSet::unknown_not_told);
}

std::uint64_t chunk_key(Channel channel, std::uint32_t number) {
    return std::uint64_t{static_cast<std::uint8_t>(channel)} << 32U | number;
}

}  // namespace

std::string_view to_string(AuditSet finding) noexcept {
    return set_names[static_cast<std::size_t>(finding)];
}

std::uint32_t judge(const AuditedPerson& person, bool over) {
    const bool told = person.told > 0;
    std::uint32_t found = person.repeats > 0 ? bit(name_repeat(person)) : 0;
    if (person.is_stranger) return found | bit(AuditSet::unexpected);
    if (!is_final(person.outcome)) {
        if (over) return found | bit(AuditSet::lost);
        return found | (told ? bit(AuditSet::under_way) : 0);
    }
    if (is_told(person.outcome)) {
        const bool missing = !told && person.is_expected;
        return found | (missing ? bit(AuditSet::falsely_sent) : 0);
    }
    if (person.outcome == Outcome::unknown) return found | judge_doubt(person);
    // Whom a later job took over keeps the reason: who was in doubt may have been told here.
    if (person.outcome == Outcome::replayed && is_doubt(person.reason)) {
        return found | (told ? bit(AuditSet::unknown_told) : 0);
    }
    if (!told) return found;
    return found |
           bit(person.outcome == Outcome::refused ? AuditSet::refused_later : AuditSet::unexpected);
}

void AuditBook::add(ledger::Delivery delivery, std::string_view account) {
    const auto index = static_cast<std::uint32_t>(people_.size());
    const auto channel = static_cast<std::size_t>(delivery.channel);
    first_of_chunk_.try_emplace(
        chunk_key(delivery.channel, static_cast<std::uint32_t>(delivery.chunk)),
        index - delivery.position);
    if (!delivery.provider_id.empty()) {
        by_id_[std::move(delivery.provider_id)].people.push_back(index);
    }
    people_.push_back({.channel = delivery.channel,
                       .outcome = delivery.outcome,
                       .reason = delivery.reason,
                       .may_repeat = delivery.on_doubt == DoubtPolicy::resend,
                       .is_expected = account.empty() || account == delivery.account,
                       .chunk = delivery.chunk,
                       .position = delivery.position,
                       .recipient = std::move(delivery.recipient)});
    const auto [known, is_new] =
        by_recipient_[channel].try_emplace(people_.back().recipient, index);
    if (is_new) return;
    people_[known->second].is_superseded = true;  // A chunk was split while it was read.
    known->second = index;
}

void AuditBook::note(std::uint32_t index, std::string_view device) {
    auto& person = people_[index];
    if (device.empty()) {
        if (person.told > 0) ++person.repeats;
    } else {
        person.has_devices = true;
        // Mixed, so that two people's equal devices are two.
        const auto mixed = std::hash<std::string_view>{}(device) ^
                           (std::uint64_t{index} + 1) * 0x9E37'79B9'7F4A'7C15U;
        if (!devices_.insert(mixed).second) ++person.repeats;
    }
    ++person.told;
}

bool AuditBook::note_recipient(Channel channel, std::string_view recipient,
                               std::string_view device) {
    const auto& known = by_recipient_[static_cast<std::size_t>(channel)];
    const auto found = known.find(recipient);
    if (found == known.end()) return false;
    note(found->second, device);
    return true;
}

bool AuditBook::note_place(Channel channel, std::uint32_t chunk, std::uint32_t position,
                           std::string_view device) {
    const auto found = first_of_chunk_.find(chunk_key(channel, chunk));
    if (found == first_of_chunk_.end()) return false;
    const auto index = std::uint64_t{found->second} + position;
    if (index >= people_.size()) return false;
    const auto& person = people_[index];
    if (person.is_stranger || person.channel != channel || person.position != position ||
        static_cast<std::uint32_t>(person.chunk) != chunk) {
        return false;
    }
    return note_recipient(channel, person.recipient, device);
}

bool AuditBook::note_message_id(std::string_view id, std::string_view device) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return false;
    ++found->second.messages;
    if (found->second.people.size() == 1) note(found->second.people.front(), device);
    return true;
}

void AuditBook::note_stranger(Channel channel, std::string_view who) {
    auto& known = strangers_[static_cast<std::size_t>(channel)];
    if (const auto found = known.find(who); found != known.end()) {
        ++people_[found->second].told;
        return;
    }
    if (stranger_count_ == strangers_max) {
        ++more_strangers_;
        return;
    }
    ++stranger_count_;
    people_.push_back(
        {.channel = channel, .is_stranger = true, .told = 1, .recipient = std::string{who}});
    known.emplace(people_.back().recipient, static_cast<std::uint32_t>(people_.size() - 1));
}

void AuditBook::close() {
    for (auto& [id, request] : by_id_) {
        if (request.people.size() == 1 || request.messages == 0) continue;
        shared_ += request.people.size();
        for (const auto index : request.people) {
            if (people_[index].told == 0) people_[index].told = 1;
        }
    }
}

std::uint64_t AuditSums::faults() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < audit_fault_count; ++i) sum += people[i];
    return sum;
}

AuditSums sum_up(const AuditBook& book, bool over) {
    AuditSums sums;
    for (const auto& person : book.people()) {
        if (person.is_superseded) continue;
        if (!person.is_stranger) {
            ++sums.planned;
            if (person.told > 0) ++sums.told;
        }
        const auto found = judge(person, over);
        for (std::size_t i = 0; i < audit_set_count; ++i) {
            if ((found & (1U << i)) == 0) continue;
            ++sums.people[i];
            if (sums.first[i].size() < AuditSums::shown_max) {
                sums.first[i].push_back(
                    fmt::format("{} {}", fanfare::to_string(person.channel), person.recipient));
            }
        }
    }
    sums.people[static_cast<std::size_t>(AuditSet::unexpected)] += book.more_strangers();
    return sums;
}

}  // namespace fanfare::cli
