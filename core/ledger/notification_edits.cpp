// What people and backends do to the schedule, beside the due queries.
#include "core/ledger/notifications.hpp"
#include "core/wire/job.hpp"
#include "core/wire/timestamp.hpp"

#include <pqxx/transaction>

namespace fanfare::ledger {
namespace {

#define FANFARE_THIS "system = $1 AND kind = $2 AND subject = $3 AND occurrence = $4::timestamptz "

/// The occurrence as job ids are derived from it.
NotificationKey normal(NotificationKey key) {
    if (const auto at = parse_timestamp(key.occurrence)) key.occurrence = format_timestamp(*at);
    return key;
}

/// Publishers wake when this commits.
void wake_publishers(pqxx::transaction_base& work) { work.exec("NOTIFY fanfare"); }

bool is_known(pqxx::transaction_base& work, const NotificationKey& key) {
    return !work.exec_params("SELECT 1 FROM notification WHERE " FANFARE_THIS, key.system, key.kind,
                             key.subject, key.occurrence)
                .empty();
}

NotificationEdit edit_of(pqxx::work& work, const NotificationKey& key, std::size_t changed) {
    const bool known = changed > 0 || is_known(work, key);
    if (changed > 0) wake_publishers(work);
    work.commit();
    if (changed > 0) return NotificationEdit::done;
    return known ? NotificationEdit::too_late : NotificationEdit::unknown;
}

}  // namespace

NotificationEdit insert_notification(Connection& connection, const NewNotification& wanted) {
    const auto key = normal(wanted.key);
    pqxx::work work{connection.raw()};
    const auto done = work.exec_params(
        "INSERT INTO notification AS n (system, kind, subject, occurrence, due_at, expires_at, "
        " params, data, job_id, origin, source) VALUES ($1, $2, $3, $4::timestamptz, "
        " coalesce(nullif($5, '')::timestamptz, app_now()), nullif($6, '')::timestamptz, "
        " $7::jsonb, $8::jsonb, $9::uuid, 'api', $10) "
        "ON CONFLICT (system, kind, subject, occurrence) DO UPDATE SET due_at = excluded.due_at, "
        " expires_at = excluded.expires_at, params = excluded.params, data = excluded.data, "
        " origin = 'api', source = excluded.source, lease_until = NULL, updated_at = app_now() "
        "WHERE n.state = 'scheduled' AND n.origin = 'api'",
        key.system, key.kind, key.subject, key.occurrence, wanted.due_at, wanted.expires_at,
        wanted.params, wanted.data, derived_id(derivation_of(key)), wanted.source);
    return edit_of(work, key, done.affected_rows());
}

NotificationEdit cancel_notification(Connection& connection, const NotificationKey& which,
                                     const std::string& by) {
    const auto key = normal(which);
    pqxx::work work{connection.raw()};
    // One that no query has found yet is noted, so that it is cancelled when it is found.
    const auto done = work.exec_params(
        "INSERT INTO notification AS n (system, kind, subject, occurrence, due_at, job_id, state, "
        " cancelled_by) VALUES ($1, $2, $3, $4::timestamptz, $4::timestamptz, $5::uuid, "
        " 'cancelled', $6) "
        "ON CONFLICT (system, kind, subject, occurrence) DO UPDATE SET state = 'cancelled', "
        " cancelled_by = excluded.cancelled_by, lease_until = NULL, updated_at = app_now() "
        "WHERE n.state IN ('scheduled', 'cancelled')",
        key.system, key.kind, key.subject, key.occurrence, derived_id(derivation_of(key)), by);
    return edit_of(work, key, done.affected_rows());
}

NotificationEdit reschedule_notification(Connection& connection, const NotificationKey& which,
                                         const NewMoment& moment, const std::string& by) {
    const auto key = normal(which);
    pqxx::work work{connection.raw()};
    const auto done = work.exec_params(
        "UPDATE notification SET state = 'scheduled', due_at = $5::timestamptz, "
        " expires_at = coalesce(nullif($6, '')::timestamptz, expires_at), moved_by = $7, "
        " cancelled_by = NULL, lease_until = NULL, updated_at = app_now() "
        "WHERE " FANFARE_THIS
        "AND state IN ('scheduled', 'cancelled') "
        "AND coalesce(nullif($6, '')::timestamptz, expires_at, 'infinity') > $5::timestamptz",
        key.system, key.kind, key.subject, key.occurrence, moment.due_at, moment.expires_at, by);
    return edit_of(work, key, done.affected_rows());
}

NotificationEdit send_notification_now(Connection& connection, const NotificationKey& which,
                                       const std::string& by) {
    const auto key = normal(which);
    pqxx::work work{connection.raw()};
    const auto done = work.exec_params(
        "UPDATE notification SET state = 'scheduled', due_at = least(due_at, app_now()), "
        " moved_by = $5, cancelled_by = NULL, lease_until = NULL, updated_at = app_now() "
        "WHERE " FANFARE_THIS
        "AND state IN ('scheduled', 'cancelled') "
        "AND coalesce(expires_at, 'infinity') > app_now()",
        key.system, key.kind, key.subject, key.occurrence, by);
    return edit_of(work, key, done.affected_rows());
}

std::size_t cancel_subject(Connection& connection, const std::string& system,
                           const std::string& subject, const std::string& by,
                           std::span<const std::string> kinds) {
    std::string literal{"{"};
    for (const auto& kind : kinds) postgres::append_element(literal, kind);
    literal.push_back('}');
    pqxx::work work{connection.raw()};
    const auto done = work.exec_params(
        "UPDATE notification SET state = 'cancelled', cancelled_by = $3, lease_until = NULL, "
        " updated_at = app_now() WHERE system = $1 AND subject = $2 AND state = 'scheduled' "
        "AND (kind = ANY($4::text[]) OR cardinality($4::text[]) = 0)",
        system, subject, by, literal);
    work.commit();
    return done.affected_rows();
}

}  // namespace fanfare::ledger
