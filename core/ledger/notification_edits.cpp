#include "core/ledger/notification_edits.hpp"

#include "core/ledger/due_job.hpp"
#include "core/wire/job.hpp"

#include <fmt/format.h>
#include <pqxx/transaction>

namespace fanfare::ledger {
namespace {

void wake_publishers(pqxx::transaction_base& work) { work.exec("NOTIFY fanfare"); }

/// Commits what was changed, or says why nothing was: `changed` asked for it to be scheduled, and
/// for its expiry to come after its moment.
Edit finish(pqxx::work& work, const std::string& id, bool changed) {
    if (changed) {
        wake_publishers(work);
        work.commit();
        return Edit::done;
    }
    const auto rows = work.exec_params(
        "SELECT state = 'scheduled' FROM notification WHERE job_id = $1::uuid", id);
    if (rows.empty()) return Edit::unknown;
    return rows[0][0].as<bool>() ? Edit::past_expiry : Edit::too_late;
}

/// False when the job is over.
bool stop_job(pqxx::transaction_base& work, const Systems& systems,
              const NotificationDetail& detail) {
    const auto made = due_job(detail, systems);
    const auto* const job = std::get_if<Job>(&made);
    std::optional<PendingJob> pending;
    if (job != nullptr) pending = PendingJob{detail.id, encode_job(*job)};
    if (cancel_wherever(work, detail.id, pending)) return true;
    // What can be no job, and is none, needs no stopping.
    return job == nullptr &&
           work.exec_params("SELECT 1 FROM job WHERE id = $1::uuid", detail.id).empty();
}

/// The key under which the ledger keeps it. What owners scheduled before their subjects were kept
/// apart stays where it is.
NotificationKey kept_key(pqxx::transaction_base& work, const NewNotification& wanted) {
    auto key = wanted.key;
    if (!wanted.is_owners) return key;
    const auto theirs = work.exec_params(
        "SELECT 1 FROM notification WHERE system = $1 AND kind = $2 AND subject = $3 "
        "AND occurrence = $4::timestamptz AND origin = 'api' AND source = $5",
        key.system, key.kind, key.subject, key.occurrence, wanted.source);
    if (theirs.empty()) key.subject = subject_of_owner(key.subject, wanted.source);
    return key;
}

/// Of all that was asked for, besides the key.
std::string digest_of(const NewNotification& wanted) {
    return derived_id(fmt::format("{}\n{}\n{}\n{}\n{}", wanted.source, wanted.due_at,
                                  wanted.expires_at, wanted.params, wanted.data));
}

}  // namespace

Scheduling schedule_notification(Connection& connection, const NewNotification& wanted) {
    pqxx::work work{connection.raw()};
    const auto key = kept_key(work, wanted);
    const auto id = derived_id(derivation_name(key));
    const auto asked = digest_of(wanted);
    const auto put = work.exec_params(
        "INSERT INTO notification (system, kind, subject, occurrence, due_at, expires_at, params, "
        " data, job_id, origin, source, asked) VALUES ($1, $2, $3, $4::timestamptz, "
        " $5::timestamptz, nullif($6, '')::timestamptz, $7::jsonb, $8::jsonb, $9::uuid, 'api', "
        " $10, $11::uuid) ON CONFLICT DO NOTHING",
        key.system, key.kind, key.subject, key.occurrence, wanted.due_at, wanted.expires_at,
        wanted.params, wanted.data, id, wanted.source, asked);
    const auto same = work.exec_params(
        "SELECT coalesce(asked = $7::uuid, false) OR ("
        " (due_at, params, data, source) = ($2::timestamptz, $3::jsonb, $4::jsonb, $5) "
        " AND expires_at IS NOT DISTINCT FROM nullif($6, '')::timestamptz) "
        "FROM notification WHERE job_id = $1::uuid",
        id, wanted.due_at, wanted.params, wanted.data, wanted.source, wanted.expires_at, asked);
    const bool is_new = put.affected_rows() == 1;
    if (is_new) wake_publishers(work);
    Scheduling scheduling{is_new, same[0][0].as<bool>(), *find_notification(work, id, {})};
    work.commit();
    return scheduling;
}

Edit reschedule_notification(Connection& connection, const std::string& id,
                             const NewMoment& changes, const std::string& by) {
    pqxx::work work{connection.raw()};
    const auto done = work.exec_params(
        "UPDATE notification SET due_at = coalesce(nullif($2, '')::timestamptz, due_at), "
        "expires_at = coalesce(nullif($3, '')::timestamptz, expires_at), "
        "params = coalesce(nullif($4, '')::jsonb, params), "
        "data = coalesce(nullif($5, '')::jsonb, data), "
        "moved_by = CASE WHEN $2 <> '' OR $3 <> '' THEN $6 ELSE moved_by END, "
        "params_by = CASE WHEN $4 <> '' THEN $6 ELSE params_by END, "
        "data_by = CASE WHEN $5 <> '' THEN $6 ELSE data_by END, "
        "lease_until = NULL, updated_at = app_now() "
        "WHERE job_id = $1::uuid AND state = 'scheduled' "
        "AND coalesce(nullif($3, '')::timestamptz, expires_at, 'infinity') "
        " > coalesce(nullif($2, '')::timestamptz, due_at)",
        id, changes.due_at, changes.expires_at, changes.params, changes.data, by);
    return finish(work, id, done.affected_rows() == 1);
}

Edit send_notification_now(Connection& connection, const std::string& id, const std::string& by) {
    pqxx::work work{connection.raw()};
    const auto done = work.exec_params(
        "UPDATE notification SET due_at = least(due_at, app_now()), moved_by = $2, "
        "lease_until = NULL, updated_at = app_now() WHERE job_id = $1::uuid "
        "AND state = 'scheduled' AND coalesce(expires_at, 'infinity') > app_now()",
        id, by);
    return finish(work, id, done.affected_rows() == 1);
}

Edit cancel_notification(Connection& connection, const Systems& systems, const NotificationKey& key,
                         const AccessFilter& access, const std::string& by) {
    const auto id = derived_id(derivation_name(key));
    pqxx::work work{connection.raw()};
    // One that no query has found yet is noted, so that it is cancelled when it is found.
    work.exec_params(
        "INSERT INTO notification (system, kind, subject, occurrence, due_at, job_id, state) "
        "VALUES ($1, $2, $3, $4::timestamptz, $4::timestamptz, $5::uuid, 'cancelled') "
        "ON CONFLICT DO NOTHING",
        key.system, key.kind, key.subject, key.occurrence, id);
    // From here on no publisher claims or marks it.
    work.exec_params("SELECT 1 FROM notification WHERE job_id = $1::uuid FOR UPDATE", id);
    const auto detail = find_notification(work, id, access);
    if (!detail) return Edit::unknown;
    if (detail->state == "expired") return Edit::too_late;
    // Once claimed, its job may be anywhere.
    if (detail->epoch > 0 && !stop_job(work, systems, *detail)) return Edit::too_late;
    work.exec_params(
        "UPDATE notification SET state = 'cancelled', cancelled_by = $2, lease_until = NULL, "
        "updated_at = app_now() WHERE job_id = $1::uuid",
        id, by);
    work.commit();
    return Edit::done;
}

}  // namespace fanfare::ledger
