#include "producer/schedule/refresh.hpp"

#include "core/postgres/libpqxx.hpp"
#include "core/settings/client.hpp"
#include "core/settings/text_rules.hpp"
#include "core/wire/timestamp.hpp"

#include <fmt/format.h>
#include <pqxx/except>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

namespace fanfare {
namespace {

// The ledger hears nothing while the due query runs; longer than that, nobody is there.
constexpr std::chrono::milliseconds silence_more{5'000};

using postgres::Snapshot;

#define FANFARE_MOMENT(column) \
    "to_char(d." column "::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

/// The due query's rows, as d. Where it has no column owner, that name means the one of the
/// fallback around it.
std::string rows_of(const Query& query) {
    return fmt::format(
        "FROM (VALUES (NULL::text)) AS fallback(owner), "
        "LATERAL (SELECT found.*, owner::text AS whose FROM ({}\n) found) d ",
        query.sql);
}

// Tells one row from another: of all its columns.
#define FANFARE_DIGEST "hashtextextended((d.*)::text, 0)"

/// Its columns in a single form, earliest first; with `names`, those of these subjects and those
/// of nobody knows which.
std::string wrapped(const Query& query, const std::optional<DueNames>& names) {
    const auto named = fmt::format(
        "WHERE coalesce(d.subject::text, '') = '' OR d.subject::text = ANY (${}::text[])",
        query.parameters.size() + 1);
    return fmt::format(
        "DECLARE due NO SCROLL CURSOR FOR SELECT d.subject::text, "
        FANFARE_MOMENT("occurrence") ", " FANFARE_MOMENT("due_at") ", "
        FANFARE_MOMENT("expires_at") ", "
        "coalesce(d.params::text, '{{}}'), coalesce(d.data::text, '{{}}'), "
        "d.expires_at IS NOT NULL, coalesce(nullif(d.whose, ''), 'scheduler'), {} {} {} "
        "ORDER BY d.due_at",
        names ? "0" : FANFARE_DIGEST, rows_of(query), names ? named : "");
}

void note(DueDigest& digest, const pqxx::row& row, int column) {
    // Numbers of rows that are the same in another order add up to the same.
    digest[row[0].c_str()] += 1 + static_cast<std::uint64_t>(row[column].as<std::int64_t>());
}

std::string doing(const Schedule& schedule) {
    return fmt::format("run the due query {}:{}", schedule.query.file, schedule.query.line);
}

bool is_object(std::string_view json) { return !json.empty() && json.front() == '{'; }

ledger::DueRow read_due(const pqxx::row& row) {
    return {.subject = row[0].c_str(),
            .occurrence = row[1].c_str(),
            .due_at = row[2].c_str(),
            .expires_at = row[3].c_str(),
            .params = row[4].c_str(),
            .data = row[5].c_str(),
            .owner = row[7].c_str()};
}

/// What makes a row unusable; "" where nothing does.
std::string_view find_fault(const ledger::DueRow& due, bool expires) {
    if (due.subject.empty()) return "subject is empty";
    if (!parse_timestamp(due.occurrence)) return "occurrence is no moment";
    if (!parse_timestamp(due.due_at)) return "due_at is no moment";
    if (expires && !parse_timestamp(due.expires_at)) {
        return "expires_at is no moment ('infinity' is none)";
    }
    if (!is_object(due.params)) return "params is no JSON object";
    if (!is_object(due.data)) return "data is no JSON object";
    if (due.owner.size() > ClientSettings::owner_bytes_max || has_control_character(due.owner)) {
        return "owner is too long or holds control characters";
    }
    return {};
}

}  // namespace

RefreshReport Refresher::stream(postgres::Connection& source, const Schedule& schedule,
                                const std::optional<DueNames>& names,
                                ledger::NotificationRefresh& refresh) const {
    RefreshReport report;
    refresh.touch();  // Each wait of its own stays within what is allowed: to connect was one.
    Snapshot work{source.raw()};
    // A pooler may have changed the session for one that is not in UTC. What a look finds in such a
    // one differs from what is known, and is asked for here.
    work.exec("SET LOCAL TimeZone = 'UTC'");
    std::vector<std::string> values(schedule.query.parameters.size(), refresh.horizon());
    if (names) values.push_back(postgres::to_array_literal(*names));
    work.exec_params(wrapped(schedule.query, names),
                     pqxx::prepare::make_dynamic_params(values.begin(), values.end()));
    refresh.touch();
    std::vector<ledger::DueRow> batch;
    while (report.rows < rows_max) {
        const auto begun = parts_.clock.steady_now();
        const auto rows = work.exec(fmt::format("FETCH {} FROM due", rows_per_fetch));
        report.query_took += parts_.clock.steady_now() - begun;
        batch.clear();
        for (const auto& row : rows) {
            ++report.rows;
            if (!names) note(report.digest, row, 8);
            auto due = read_due(row);
            const auto fault = find_fault(due, row[6].as<bool>());
            if (fault.empty()) {
                batch.push_back(std::move(due));
                continue;
            }
            refresh.keep(due.subject, parse_timestamp(due.occurrence) ? due.occurrence : "");
            if (report.unusable++ == 0)
                report.fault = fmt::format("row {}: {}", report.rows, fault);
        }
        refresh.add(batch);
        if (rows.size() < rows_per_fetch) return report;
    }
    report.cut = true;
    return report;
}

Result<std::optional<RefreshReport>> Refresher::refresh_in(postgres::Connection& ledger,
                                                           const Schedule& schedule,
                                                           const std::optional<DueNames>& names) {
    using Refreshed = std::optional<RefreshReport>;
    auto refresh =
        ledger::NotificationRefresh::begin(ledger, system_.name, schedule.kind, parts_.horizon,
                                           system_.statement_timeout + silence_more, parts_.clock);
    if (!refresh) return Refreshed{};
    if (parts_.believes && !parts_.believes(refresh->reading())) return Refreshed{};
    if (names) refresh->only(*names);
    auto in_source = [&](postgres::Connection& source) {
        return stream(source, schedule, names, *refresh);
    };
    auto streamed = parts_.source.call(doing(schedule), in_source);
    if (!streamed) {  // Nothing was committed.
        if (!ledger.is_open()) throw pqxx::broken_connection{"the ledger is gone"};
        return streamed.error();
    }
    auto& report = streamed.value();
    report.horizon = parse_timestamp(refresh->horizon()).value();
    const auto* const kind = system_.find_kind(schedule.kind);
    report.tally = refresh->finish(!report.cut, kind != nullptr && kind->stop_when_gone);
    return Refreshed{report};
}

Result<std::optional<RefreshReport>> Refresher::refresh(const Schedule& schedule,
                                                        const std::optional<DueNames>& names) {
    auto in_ledger = [&](postgres::Connection& ledger) {
        return refresh_in(ledger, schedule, names);
    };
    auto done =
        parts_.ledger.call(fmt::format("refresh {} of {}", schedule.kind, system_.name), in_ledger);
    if (!done) return done.error();
    return std::move(done.value());
}

Result<std::optional<DueDigest>> Refresher::look(const Schedule& schedule, TimePoint horizon) {
    const std::vector<std::string> values(schedule.query.parameters.size(),
                                          format_timestamp(horizon));
    auto in_source = [&](postgres::Connection& source) {
        // Planned for its values, as a refresh is: prepared for any, PostgreSQL may look at rows
        // that the horizon leaves out, and fail at one.
        pqxx::nontransaction work{source.raw()};
        const auto rows =
            work.exec_params(fmt::format("SELECT d.subject::text, " FANFARE_DIGEST " {} LIMIT {}",
                                         rows_of(schedule.query), rows_max + 1),
                             pqxx::prepare::make_dynamic_params(values.begin(), values.end()));
        std::optional<DueDigest> found;
        if (std::size_t(rows.size()) > rows_max) return found;
        found.emplace();
        for (const auto& row : rows) note(*found, row, 1);
        return found;
    };
    return parts_.source.call(doing(schedule), in_source);
}

}  // namespace fanfare
