#include "producer/api/survey.hpp"

#include "core/audience/address.hpp"
#include "core/ledger/addresses.hpp"
#include "core/ledger/caps.hpp"
#include "core/ledger/opt_outs.hpp"
#include "producer/api/draft.hpp"
#include "producer/api/source.hpp"
#include "worker/rendering/segments.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include <algorithm>

namespace fanfare::api {
namespace {

using Snapshot = pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>;

constexpr int people_a_fetch = 5'000;

/// The audience as a cursor of distinct ids.
void open_audience(pqxx::transaction_base& work, const System& system, const Job& job) {
    std::string inner = "SELECT unnest($1::text[]) AS recipient_id";
    const auto listed = postgres::array_of(job.recipients);
    std::vector<const char*> values{listed.c_str()};
    if (job.recipients.empty()) {
        const auto& audience = *system.find_audience(job.audience);
        inner = audience.query.sql;
        values = audience.values(job.params);
    }
    work.exec_params(
        fmt::format("DECLARE audience NO SCROLL CURSOR FOR SELECT DISTINCT a.recipient_id::text "
                    "FROM ({}\n) a WHERE a.recipient_id IS NOT NULL ORDER BY 1",
                    inner),
        pqxx::prepare::make_dynamic_params(values.begin(), values.end()));
}

}  // namespace

Survey Surveyor::run() {
    Snapshot work{parts_.source.raw()};
    open_audience(work, system_, job_);
    while (true) {
        const auto rows = work.exec(fmt::format("FETCH {} FROM audience", people_a_fetch));
        if (rows.empty()) return survey_;
        const auto count = static_cast<std::int64_t>(rows.size());
        survey_.people += count;
        if (survey_.surveyed >= people_max) continue;
        survey_.surveyed += count;
        postgres::ArrayLiteral literal;
        for (const auto& row : rows) literal.add(std::string_view{row[0].c_str()});
        const auto recipients = literal.text();
        for (const auto channel : job_.channels) look_at(recipients, count, channel);
    }
}

void Surveyor::look_at(const std::string& recipients, std::int64_t count, Channel channel) {
    auto& found = survey_.channels[static_cast<std::size_t>(channel)];
    const auto& contact = system_.contacts[static_cast<std::size_t>(channel)];
    pqxx::nontransaction work{parts_.lookup.raw()};
    const auto rows = work.exec_params(contact->query.sql, recipients);
    const auto id_column = column_of(rows, "recipient_id");
    const auto address_column = column_of(rows, "address");
    const auto consent_column = column_of(rows, "opted_out");
    const auto gone = people_who_left(recipients, channel);
    const auto capped = people_over_cap(recipients);
    People reached, refusing, often, listed, twins;
    std::vector<pqxx::row> sendable;
    std::vector<std::string> addresses;
    for (const auto& row : rows) {
        const auto id = text_of(row, id_column);
        const auto address = text_of(row, address_column);
        if (gone.contains(id) || text_of(row, consent_column) == "t") {
            refusing.insert(id);
        } else if (capped.contains(id)) {
            often.insert(id);
        } else if (std::string sent; read_address(channel, address, sent) == AddressFault::none) {
            sendable.push_back(row);
            addresses.push_back(std::move(sent));
        }
    }
    const auto suppressed = ledger::find_suppressed(parts_.ledger, channel, addresses);
    auto& taken = taken_[static_cast<std::size_t>(channel)];
    for (std::size_t i = 0; i < sendable.size(); ++i) {
        const auto id = text_of(sendable[i], id_column);
        if (suppressed[i]) {
            listed.insert(id);
        } else if (kind_.dedupe == Dedupe::address &&
                   !taken.insert(compared_form(channel, addresses[i])).second) {
            twins.insert(id);
        } else {
            reached.insert(id);
            ++found.messages;
            if (channel == Channel::sms) found.segments += segments_of(sendable[i]);
        }
    }
    // Everybody once: told on any address is told; then the first reason of these.
    auto known = std::move(reached);
    auto left = count - static_cast<std::int64_t>(known.size());
    for (const auto& [people, figure] :
         {std::pair{&refusing, &found.opted_out}, std::pair{&often, &found.too_often},
          std::pair{&listed, &found.suppressed}, std::pair{&twins, &found.duplicates}}) {
        for (const auto& id : *people) {
            if (!known.insert(id).second) continue;
            ++*figure;
            --left;
        }
    }
    found.no_address += left;
}

Surveyor::People Surveyor::people_who_left(const std::string& recipients, Channel channel) const {
    if (kind_.list.empty()) return {};
    const auto out =
        ledger::opted_out(parts_.ledger, system_.name, channel, kind_.list, recipients);
    return {out.begin(), out.end()};
}

Surveyor::People Surveyor::people_over_cap(const std::string& recipients) const {
    if (!kind_.at_most) return {};
    const ledger::CapQuestion question{.system = system_.name,
                                       .kind = kind_.name,
                                       .job = derived_id(""),  // Counts nothing yet.
                                       .count = kind_.at_most->count,
                                       .window = kind_.at_most->window};
    const auto over = ledger::over_cap(parts_.ledger, question, recipients);
    return {over.begin(), over.end()};
}

std::int64_t Surveyor::segments_of(const pqxx::row& row) const {
    Reader reader;
    for (Column i = 0; i < row.size(); ++i) {
        const std::string name{row[i].name()};
        if (name == "locale") {
            reader.locale = text_of(row, i);
        } else if (name == "time_zone") {
            reader.time_zone = text_of(row, i);
        } else if (is_personal(name)) {
            reader.values[name] = text_of(row, i);
        }
    }
    const auto written =
        write_draft(parts_.templates, kind_, Channel::sms, job_.data, reader, "", parts_.now);
    return written ? static_cast<std::int64_t>(count_segments(written.value().text).count) : 1;
}

}  // namespace fanfare::api
