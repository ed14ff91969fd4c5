#include "core/ledger/notifications.hpp"

#include "core/ledger/iso.hpp"
#include "core/ledger/jobs.hpp"
#include "core/wire/job.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>

#include <algorithm>

namespace fanfare::ledger {
namespace {

constexpr std::chrono::milliseconds silence_unnoticed{1'000};
constexpr char owner_mark = '\x1f';  // No name of a subject or of an owner holds it.

/// Columns of holds, for unnest().
struct HoldArrays {
    explicit HoldArrays(std::span<const NotificationHold> holds) {
        for (const auto& hold : holds) {
            systems.add(hold.key.system);
            kinds.add(hold.key.kind);
            subjects.add(hold.key.subject);
            occurrences.add(hold.key.occurrence);
            epochs.add(hold.epoch);
        }
    }
    postgres::ArrayLiteral systems, kinds, subjects, occurrences, epochs;
};

#define FANFARE_MINE                                                                    \
    "unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::integer[]) "     \
    "AS mine(system, kind, subject, occurrence, epoch) "                                \
    "WHERE n.system = mine.system AND n.kind = mine.kind AND n.subject = mine.subject " \
    "AND n.occurrence = mine.occurrence AND n.epoch = mine.epoch AND n.state = 'publishing' "

NotificationKey read_key(const pqxx::row& row) {
    return {row[0].c_str(), row[1].c_str(), row[2].c_str(), row[3].c_str()};
}

}  // namespace

std::string derivation_name(const NotificationKey& key) {
    return fmt::format("{}/{}/{}/{}", key.system, key.kind, key.subject, key.occurrence);
}

std::string subject_of_owner(std::string_view subject, std::string_view owner) {
    return fmt::format("{}{}{}", subject, owner_mark, owner);
}

std::string_view plain_subject(std::string_view subject) noexcept {
    return subject.substr(0, subject.find(owner_mark));
}

RefreshCounts& RefreshCounts::operator+=(const RefreshCounts& more) {
    found += more.found;
    changed += more.changed;
    cancelled += more.cancelled;
    return *this;
}

void RefreshTally::add(const std::string& source, const RefreshCounts& more) {
    RefreshCounts::operator+=(more);
    by_source[source] += more;
}

RefreshTally& RefreshTally::operator+=(const RefreshTally& more) {
    stopped += more.stopped;
    for (const auto& [source, counts] : more.by_source) add(source, counts);
    return *this;
}

std::optional<NotificationRefresh> NotificationRefresh::begin(
    Connection& connection, const std::string& system, const std::string& kind,
    std::chrono::seconds horizon, std::chrono::milliseconds silence_max, const Clock& clock) {
    NotificationRefresh refresh{clock};
    refresh.silence_ = std::min(silence_unnoticed, silence_max / 4);
    refresh.connection_ = &connection;
    refresh.work_ = std::make_unique<pqxx::work>(connection.raw());
    refresh.system_ = system;
    refresh.kind_ = kind;
    refresh.reading_.asked = clock.steady_now();
    // The moment is read once the lock is held: of two refreshes the later one has it later.
    const auto locked = connection.exec_prepared(
        *refresh.work_,
        "SELECT CASE WHEN pg_try_advisory_xact_lock("
        "  hashtextextended('fanfare.refresh/' || $1 || '/' || $2, 0)) "
        " THEN " FANFARE_ISO("(app_now() + $4 * interval '1 s')") " END, "
        "set_config('idle_in_transaction_session_timeout', $3, true), " FANFARE_CLOCK,
        system, kind, std::to_string(silence_max.count()), horizon.count());
    if (locked[0][0].is_null()) return std::nullopt;
    refresh.spoken_ = refresh.reading_.answered = clock.steady_now();
    refresh.reading_.theirs = read_moment(locked[0][2]);
    refresh.horizon_ = locked[0][0].c_str();
    return refresh;
}

void NotificationRefresh::touch() {
    const auto now = clock_->steady_now();
    if (now - spoken_ < silence_) return;
    work_->exec("SELECT 1");
    spoken_ = now;
}

void NotificationRefresh::only(std::span<const std::string> subjects) {
    only_ = postgres::to_array_literal(subjects);
}

void NotificationRefresh::add(std::span<const DueRow> rows) {
    if (rows.empty()) return touch();
    postgres::ArrayLiteral subjects, occurrences, dues, expiries, params, data, jobs, owners;
    for (const auto& row : rows) {
        subjects.add(row.subject);
        occurrences.add(row.occurrence);
        dues.add(row.due_at);
        expiries.add(row.expires_at);
        params.add(row.params);
        data.add(row.data);
        jobs.add(derived_id(derivation_name({system_, kind_, row.subject, row.occurrence})));
        owners.add(row.owner);
        subjects_.add(row.subject);
        occurrences_.add(row.occurrence);
    }
    // What is already there and the same is left alone: a poll without news writes nothing.
    const auto done = connection_->exec_prepared(
        *work_,
        "WITH due AS (SELECT DISTINCT ON (subject, occurrence) subject, occurrence, due_at, "
        " nullif(expires_at, '')::timestamptz AS expires_at, params, data, job_id, owner "
        " FROM unnest($3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::jsonb[], "
        "  $8::jsonb[], $9::uuid[], $10::text[]) "
        " AS u(subject, occurrence, due_at, expires_at, params, data, job_id, owner)), "
        "news AS (INSERT INTO notification AS n (system, kind, subject, occurrence, due_at, "
        "  expires_at, params, data, job_id, source) "
        " SELECT $1, $2, d.subject, d.occurrence, d.due_at, d.expires_at, d.params, d.data, "
        "  d.job_id, d.owner FROM due d LEFT JOIN notification o ON o.system = $1 AND o.kind = $2 "
        "  AND o.subject = d.subject AND o.occurrence = d.occurrence "
        " WHERE o.system IS NULL OR (o.state = 'cancelled' AND o.cancelled_by IS NULL) "
        "  OR (o.state = 'scheduled' AND (o.source <> d.owner "
        "   OR (o.params_by IS NULL AND o.params <> d.params) "
        "   OR (o.data_by IS NULL AND o.data <> d.data) "
        "   OR (o.moved_by IS NULL AND "
        "    (o.due_at, o.expires_at) IS DISTINCT FROM (d.due_at, d.expires_at)))) "
        " ON CONFLICT (system, kind, subject, occurrence) DO UPDATE SET state = 'scheduled', "
        "  due_at = CASE WHEN n.moved_by IS NULL THEN excluded.due_at ELSE n.due_at END, "
        "  expires_at = CASE WHEN n.moved_by IS NULL THEN excluded.expires_at "
        "   ELSE n.expires_at END, "
        "  params = CASE WHEN n.params_by IS NULL THEN excluded.params ELSE n.params END, "
        "  data = CASE WHEN n.data_by IS NULL THEN excluded.data ELSE n.data END, "
        "  source = excluded.source, lease_until = NULL, updated_at = app_now() "
        " WHERE n.origin = 'query' AND (n.state = 'scheduled' OR "
        "  (n.state = 'cancelled' AND n.cancelled_by IS NULL)) "
        " RETURNING xmax = 0 AS is_new, source) "
        "SELECT source, count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) "
        "FROM news GROUP BY source",
        system_, kind_, subjects.text(), occurrences.text(), dues.text(), expiries.text(),
        params.text(), data.text(), jobs.text(), owners.text());
    for (const auto& row : done) {
        tally_.add(row[0].c_str(),
                   {.found = row[1].as<std::size_t>(), .changed = row[2].as<std::size_t>()});
    }
    spoken_ = clock_->steady_now();
}

// EXCEPT and not an anti-join: unanalysed, the table looks empty to the planner, which would then
// compare every row with every other.
#define FANFARE_GONE(states, which)                                                          \
    "WITH gone AS MATERIALIZED (SELECT subject, occurrence FROM notification "               \
    " WHERE system = $1 AND kind = $2 AND state IN (" states                                 \
    ") AND origin = 'query' "                                                                \
    " AND coalesce(expires_at, greatest(occurrence, due_at)) > app_now() "                   \
    " AND subject <> ALL ($5::text[]) AND occurrence <> ALL ($6::timestamptz[]) "            \
    " AND " which                                                                            \
    " EXCEPT SELECT subject, occurrence FROM unnest($3::text[], $4::timestamptz[]) AS found" \
    " (subject, occurrence)) "

void NotificationRefresh::keep(std::string_view subject, std::string_view occurrence) {
    if (!subject.empty()) {
        kept_subjects_.add(subject);
        return;
    }
    nameless_ = true;
    if (!occurrence.empty()) kept_occurrences_.add(occurrence);
}

// Of each statement two, so that what is asked of few subjects goes by their key.
#define FANFARE_STOPPED(which)                                                              \
    FANFARE_GONE("'publishing', 'published'", which)                                        \
    "SELECT array_agg(n.job_id) FROM notification n JOIN gone USING (subject, occurrence) " \
    "WHERE n.system = $1 AND n.kind = $2 AND n.moved_by IS NULL "                           \
    "AND NOT EXISTS (SELECT FROM job j WHERE j.id = n.job_id "                              \
    "AND (j.state = 'cancelled' OR j.called_off_at IS NOT NULL) "                           \
    "AND NOT EXISTS (SELECT FROM job r WHERE r.origin = j.id "                              \
    " AND r.state IN ('planning', 'sending')))"
// Past its moment nothing is cancelled: it is published late, or expires. Nor is what a person has
// moved behind its occurrence: the due query finds it no more, for that alone.
#define FANFARE_CANCELLED(which)                                                          \
    FANFARE_GONE("'scheduled'", which)                                                    \
    ", cancelled AS (UPDATE notification n SET state = 'cancelled', lease_until = NULL, " \
    "updated_at = app_now() FROM gone WHERE n.system = $1 AND n.kind = $2 "               \
    "AND n.subject = gone.subject AND n.occurrence = gone.occurrence "                    \
    "AND n.state = 'scheduled' AND n.due_at <= $8::timestamptz "                          \
    "AND (n.moved_by IS NULL OR n.occurrence > app_now()) RETURNING n.source) "           \
    "SELECT source, count(*) FROM cancelled GROUP BY source"
#define FANFARE_ALL "$7::text[] IS NULL"
#define FANFARE_THOSE "subject = ANY ($7::text[])"

void NotificationRefresh::stop_gone() {
    const auto gone = connection_->exec_prepared(
        *work_, only_ ? FANFARE_STOPPED(FANFARE_THOSE) : FANFARE_STOPPED(FANFARE_ALL), system_,
        kind_, subjects_.text(), occurrences_.text(), kept_subjects_.text(),
        kept_occurrences_.text(), only_);
    if (!gone[0][0].is_null()) tally_.stopped = stop_jobs(*work_, gone[0][0].c_str());
}

RefreshTally NotificationRefresh::finish(bool complete, bool stops_gone) {
    if (complete) {
        const auto done = connection_->exec_prepared(
            *work_, only_ ? FANFARE_CANCELLED(FANFARE_THOSE) : FANFARE_CANCELLED(FANFARE_ALL),
            system_, kind_, subjects_.text(), occurrences_.text(), kept_subjects_.text(),
            kept_occurrences_.text(), only_, horizon_);
        for (const auto& row : done) {
            tally_.add(row[0].c_str(), {.cancelled = row[1].as<std::size_t>()});
        }
    }
    if (complete && stops_gone && !nameless_) stop_gone();
    work_->commit();
    return tally_;
}

NotificationClaims claim_notifications(Connection& connection, std::span<const std::string> systems,
                                       int limit, std::chrono::milliseconds lease) {
    pqxx::nontransaction work{connection.raw()};
    // A scheduled one has a lease only when it was given back: it is not tried before.
    const auto rows = connection.exec_prepared(work, 
        "WITH due AS (SELECT system, kind, subject, occurrence FROM notification "
        " WHERE state IN ('scheduled', 'publishing') AND due_at <= (SELECT app_now()) "
        " AND (lease_until IS NULL OR lease_until < (SELECT app_now())) "
        " AND system = ANY($1::text[]) ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED) "
        "UPDATE notification n SET epoch = n.epoch + 1, updated_at = app_now(), "
        " state = CASE WHEN n.expires_at <= app_now() THEN 'expired' ELSE 'publishing' "
        "  END::notification_state, lease_until = app_now() + $3 * interval '1 ms' "
        "FROM due WHERE n.system = due.system AND n.kind = due.kind "
        " AND n.subject = due.subject AND n.occurrence = due.occurrence "
        "RETURNING n.system, n.kind, n.subject, " FANFARE_ISO("n.occurrence") ", n.state, "
        " n.epoch, n.job_id, coalesce(" FANFARE_ISO("n.expires_at") ", ''), n.params, "
        " jsonb_strip_nulls(n.data), n.source, "
        " (extract(epoch FROM greatest(n.due_at, n.created_at)) * 1000000)::bigint",
        postgres::to_array_literal(systems), limit, lease.count());
    NotificationClaims claims;
    for (const auto& row : rows) {
        if (std::string_view{row[4].c_str()} == "expired") {
            claims.expired.push_back(read_key(row));
            continue;
        }
        claims.claimed.push_back(
            {.key = read_key(row),
             .epoch = row[5].as<std::int32_t>(),
             .job = row[6].c_str(),
             .expires_at = row[7].c_str(),
             .params = row[8].c_str(),
             .data = row[9].c_str(),
             .source = row[10].c_str(),
             .due = TimePoint{std::chrono::microseconds{row[11].as<std::int64_t>()}}});
    }
    return claims;
}

std::vector<PublishedNotification> mark_published(Connection& connection,
                                                  std::span<const NotificationHold> holds) {
    pqxx::nontransaction work{connection.raw()};
    const HoldArrays mine{holds};
    const auto rows = connection.exec_prepared(work, 
        "UPDATE notification n SET state = 'published', lease_until = NULL, "
        "published_at = coalesce(n.published_at, app_now()), "
        "updated_at = app_now() FROM " FANFARE_MINE
        "RETURNING n.system, n.kind, n.subject, " FANFARE_ISO("n.occurrence") ", "
        "(extract(epoch FROM app_now() - greatest(n.due_at, n.created_at)) * 1000000)::bigint",
        mine.systems.text(), mine.kinds.text(), mine.subjects.text(), mine.occurrences.text(),
        mine.epochs.text());
    std::vector<PublishedNotification> published;
    for (const auto& row : rows) {
        published.push_back({read_key(row), std::chrono::microseconds{row[4].as<std::int64_t>()}});
    }
    return published;
}

void renew_notifications(Connection& connection, std::span<const NotificationHold> holds,
                         std::chrono::milliseconds lease) {
    pqxx::nontransaction work{connection.raw()};
    const HoldArrays mine{holds};
    work.exec_params(
        "UPDATE notification n SET lease_until = app_now() + $6 * interval '1 ms' "
        "FROM " FANFARE_MINE,
        mine.systems.text(), mine.kinds.text(), mine.subjects.text(), mine.occurrences.text(),
        mine.epochs.text(), lease.count());
}

void give_back_notifications(Connection& connection, std::span<const NotificationHold> holds,
                             std::chrono::milliseconds wait) {
    pqxx::nontransaction work{connection.raw()};
    const HoldArrays mine{holds};
    work.exec_params(
        "UPDATE notification n SET state = 'scheduled', updated_at = app_now(), "
        "lease_until = app_now() + $6 * interval '1 ms' FROM " FANFARE_MINE,
        mine.systems.text(), mine.kinds.text(), mine.subjects.text(), mine.occurrences.text(),
        mine.epochs.text(), wait.count());
}

std::optional<std::chrono::microseconds> next_notification_in(
    Connection& connection, std::span<const std::string> systems) {
    pqxx::nontransaction work{connection.raw()};
    // What is due already is little: claimed elsewhere, or given back.
    const auto rows = connection.exec_prepared(
        work,
        "WITH moment AS (SELECT app_now() AS now), next AS ("
        "(SELECT due_at AS at FROM notification WHERE state IN ('scheduled', 'publishing') "
        " AND system = ANY($1::text[]) AND due_at > (SELECT now FROM moment) "
        " ORDER BY due_at LIMIT 1) UNION ALL "
        "(SELECT min(greatest(due_at, lease_until)) FROM notification "
        " WHERE state IN ('scheduled', 'publishing') AND system = ANY($1::text[]) "
        " AND due_at <= (SELECT now FROM moment))) "
        "SELECT (extract(epoch FROM min(at) - (SELECT now FROM moment)) * 1000000)::bigint "
        "FROM next",
        postgres::to_array_literal(systems));
    if (rows[0][0].is_null()) return std::nullopt;
    return std::chrono::microseconds{rows[0][0].as<std::int64_t>()};
}

std::int64_t count_waiting(Connection& connection, std::span<const std::string> systems) {
    pqxx::nontransaction work{connection.raw()};
    return work
        .exec_params(
            "SELECT count(*) FROM notification WHERE state IN ('scheduled', 'publishing') "
            "AND system = ANY($1::text[])",
            postgres::to_array_literal(systems))[0][0]
        .as<std::int64_t>();
}

std::vector<NotificationLine> list_notifications(Connection& connection, int limit, bool all) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT system, kind, subject, " FANFARE_ISO("occurrence") ", " FANFARE_ISO("due_at") ", "
        "coalesce(" FANFARE_ISO("expires_at") ", ''), state, job_id, "
        "extract(epoch FROM due_at - app_now())::float8 FROM ("
        "SELECT * FROM notification WHERE $2 OR state IN ('scheduled', 'publishing') "
        "ORDER BY CASE WHEN $2 THEN NULL ELSE due_at END, due_at DESC LIMIT $1) latest "
        "ORDER BY due_at, system, kind, subject",
        limit, all);
    std::vector<NotificationLine> lines;
    for (const auto& row : rows) {
        lines.push_back({.key = read_key(row),
                         .due_at = row[4].c_str(),
                         .expires_at = row[5].c_str(),
                         .state = row[6].c_str(),
                         .job = row[7].c_str(),
                         .due_in_s = row[8].as<double>()});
    }
    return lines;
}

}  // namespace fanfare::ledger
