#include "core/estimate/audience_estimate.hpp"

#include "core/audience/address.hpp"
#include "core/audience/channels.hpp"
#include "core/audience/source.hpp"
#include "core/postgres/libpqxx.hpp"
#include "core/rendering/preview_renderer.hpp"
#include "core/rendering/segments.hpp"

#include <fmt/format.h>
#include <pqxx/transaction>

#include <cmath>
#include <utility>

namespace fanfare {
namespace {

using postgres::Snapshot;

constexpr int people_a_fetch = 5'000;

/// The audience as a cursor of distinct ids.
void open_audience(pqxx::transaction_base& work, const System& system, const Job& job) {
    std::string inner = "SELECT unnest($1::text[]) AS recipient_id";
    const auto listed = postgres::to_array_literal(job.recipients);
    std::vector<const char*> values{listed.c_str()};
    if (job.recipients.empty()) {
        const auto& audience = *system.find_audience(job.audience);
        inner = audience.query.sql;
        values = audience.values(job.params);
    }
    work.exec_params(fmt::format("DECLARE audience NO SCROLL CURSOR FOR SELECT DISTINCT "
                                 "a.recipient_id::text COLLATE \"C\" "
                                 "FROM ({}\n) a WHERE a.recipient_id IS NOT NULL ORDER BY 1",
                                 inner),
                     pqxx::prepare::make_dynamic_params(values.begin(), values.end()));
}

/// Where somebody counts who is left out; nowhere if they are not.
std::int64_t* find_figure(ChannelEstimate& found, Exclusion exclusion) {
    switch (exclusion) {
        case Exclusion::none:
            return nullptr;
        case Exclusion::gone:
        case Exclusion::no_address:
            return &found.no_address;
        case Exclusion::opted_out:
        case Exclusion::unsubscribed:
            return &found.opted_out;
        case Exclusion::invalid_address:
            return &found.invalid_address;
        case Exclusion::suppressed:
            return &found.suppressed;
        case Exclusion::too_often:
            return &found.too_often;
        case Exclusion::duplicate:
            return &found.duplicates;
    }
    return nullptr;
}

}  // namespace

void scale(ChannelEstimate& found, std::int64_t people, std::int64_t looked_at) {
    if (looked_at == 0 || looked_at == people) return;
    const auto factor = static_cast<double>(people) / static_cast<double>(looked_at);
    for (auto* const figure :
         {&found.messages, &found.segments, &found.no_address, &found.invalid_address,
          &found.opted_out, &found.too_often, &found.suppressed, &found.duplicates}) {
        *figure = std::llround(static_cast<double>(*figure) * factor);
    }
}

std::int64_t count_units(const ChannelEstimate& found, Channel channel) noexcept {
    return channel == Channel::sms ? found.segments : found.messages;
}

double find_limit(const Terms& terms, Channel channel) {
    double limit = 0;
    for (const auto& account : terms.settings.accounts) {
        if (account.channel != channel || account.weight == 0) continue;
        const auto by_hand = terms.by_hand.find(account.name);
        const auto rate =
            by_hand == terms.by_hand.end() ? account.rate.per_second : by_hand->second;
        if (rate <= 0) return 0;
        limit += rate;
    }
    return limit;
}

AudienceEstimate AudienceEstimator::run() {
    Snapshot work{parts_.source.raw()};
    open_audience(work, system_, job_);
    while (true) {
        const auto rows = work.exec(fmt::format("FETCH {} FROM audience", people_a_fetch));
        if (rows.empty()) return estimate_;
        const auto count = static_cast<std::int64_t>(rows.size());
        estimate_.people += count;
        if (estimate_.looked_at >= people_max) continue;
        estimate_.looked_at += count;
        std::vector<std::string> people;
        for (const auto& row : rows) people.emplace_back(row[0].c_str());
        for (const auto channel : job_.channels) look_at(people, channel);
    }
}

void AudienceEstimator::look_at(const std::vector<std::string>& people, Channel channel) {
    const auto& contact = system_.contacts[static_cast<std::size_t>(channel)];
    const auto recipients = postgres::to_array_literal(people);
    Contacts contacts;
    contacts.clear(people.size());
    contacts.rows = ask_contacts(parts_.lookup, contact->query.sql, people);
    const std::vector<std::string_view> asked(people.begin(), people.end());
    read_contacts(channel, asked, contacts);
    exclude(parts_.ledger, to_question(recipients, channel), asked, contacts.targets);
    count(contacts, people, channel);
}

void AudienceEstimator::count(const Contacts& contacts, const std::vector<std::string>& people,
                              Channel channel) {
    auto& found = estimate_.channels[static_cast<std::size_t>(channel)];
    std::vector<Exclusion> exclusions(people.size(), Exclusion::gone);
    for (const auto& target : contacts.targets) {
        auto& exclusion = exclusions[target.recipient];
        exclusion = of_person(exclusion, target.exclusion);
        if (target.exclusion != Exclusion::none) continue;
        ++found.messages;
        if (channel == Channel::sms) found.segments += segments_for(contacts.find_row(target));
    }
    std::vector<std::string> unreached;
    for (std::size_t i = 0; i < people.size(); ++i) {
        if (auto* const figure = find_figure(found, exclusions[i])) ++*figure;
        if (is_unreachable(to_fate(exclusions[i]).reason)) unreached.push_back(people[i]);
    }
    const auto to = turns_to(job_, kind_, channel);
    if (to && !unreached.empty()) look_at(unreached, *to);
}

ReachQuestion AudienceEstimator::to_question(std::string recipients, Channel channel) {
    ReachQuestion question{.system = system_.name,
                           .channel = channel,
                           .list = kind_.list,
                           .recipients = std::move(recipients),
                           .over_cap = caps_lookup(parts_.ledger, system_, kind_, job_.id)};
    if (kind_.dedupe == Dedupe::address) {
        auto& taken = taken_[static_cast<std::size_t>(channel)];
        question.own = [this, &taken, channel](std::span<const ledger::AddressClaim> claims) {
            auto owned = ledger::would_own_addresses(parts_.ledger, job_.id, channel, claims);
            for (std::size_t i = 0; i < claims.size(); ++i) {
                if (!owned[i]) continue;
                const auto [place, is_new] =
                    taken.emplace(compared_form(channel, claims[i].address), claims[i].recipient);
                owned[i] = is_new || place->second == claims[i].recipient;
            }
            return owned;
        };
    }
    return question;
}

std::int64_t AudienceEstimator::segments_for(const pqxx::row& row) const {
    Reader reader;
    for (Column i = 0; i < row.size(); ++i) {
        const std::string name{row[i].name()};
        if (name == "locale") {
            reader.locale = column_text(row, i);
        } else if (name == "time_zone") {
            reader.time_zone = column_text(row, i);
        } else if (is_personal(name)) {
            reader.values[name] = column_text(row, i);
        }
    }
    const auto written =
        render_preview(parts_.templates, kind_, Channel::sms, job_.data, reader, "", parts_.now);
    return written ? static_cast<std::int64_t>(count_segments(written.value().text).count) : 1;
}

}  // namespace fanfare
