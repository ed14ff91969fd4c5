#include "core/ledger/api_notifications.hpp"

#include "core/wire/job.hpp"

#include <pqxx/nontransaction>

namespace fanfare::ledger {
namespace {

#define FANFARE_ISO(column) \
    "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

#define FANFARE_COLUMNS \
    "SELECT system, kind, subject, " FANFARE_ISO("occurrence") ", job_id, "                    \
    FANFARE_ISO("due_at") ", coalesce(" FANFARE_ISO("expires_at") ", ''), params, data, state, " \
    "origin, source, coalesce(cancelled_by, ''), " FANFARE_ISO("created_at") ", "              \
    FANFARE_ISO("updated_at") ", epoch FROM notification "

/// Of an array literal as a parameter; "" stands for everything.
#define FANFARE_SEEN(systems, sources)                    \
    "($" systems " = '' OR system = ANY(nullif($" systems \
    ", '')::text[])) "                                    \
    "AND ($" sources " = '' OR source = ANY(nullif($" sources ", '')::text[])) "

NotificationDetail detail_of(const pqxx::row& row) {
    return {.key = {row[0].c_str(), row[1].c_str(), row[2].c_str(), row[3].c_str()},
            .id = row[4].c_str(),
            .due_at = row[5].c_str(),
            .expires_at = row[6].c_str(),
            .params = row[7].c_str(),
            .data = row[8].c_str(),
            .state = row[9].c_str(),
            .origin = row[10].c_str(),
            .source = row[11].c_str(),
            .cancelled_by = row[12].c_str(),
            .created_at = row[13].c_str(),
            .updated_at = row[14].c_str(),
            .epoch = row[15].as<int>()};
}

std::vector<NotificationDetail> details_of(const pqxx::result& rows) {
    std::vector<NotificationDetail> details;
    for (const auto& row : rows) details.push_back(detail_of(row));
    return details;
}

}  // namespace

std::optional<NotificationDetail> find_notification(Connection& connection, const std::string& id,
                                                    const Sight& sight) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows =
        work.exec_params(FANFARE_COLUMNS "WHERE job_id = $1::uuid AND " FANFARE_SEEN("2", "3"), id,
                         sight.systems, sight.sources);
    if (rows.empty()) return std::nullopt;
    return detail_of(rows[0]);
}

std::vector<NotificationDetail> page_of_notifications(Connection& connection, const Sight& sight,
                                                      const NotificationFilter& filter, int limit) {
    pqxx::nontransaction work{connection.raw()};
    return details_of(work.exec_params(
        FANFARE_COLUMNS "WHERE " FANFARE_SEEN(
            "1", "2") "AND ($3 = '' OR system = $3) AND ($4 = '' OR kind = $4) AND ($5 = '' OR "
                      "subject = $5) "
                      "AND ($6 = '' OR state = nullif($6, '')::notification_state) "
                      "AND ($7 = '' OR (due_at, job_id) > (nullif($7, '')::timestamptz, nullif($8, "
                      "'')::uuid)) "
                      "ORDER BY notification.due_at, job_id LIMIT $9",
        sight.systems, sight.sources, filter.system, filter.kind, filter.subject, filter.state,
        filter.after_at, filter.after_id, limit));
}

std::vector<NotificationDetail> open_of_subject(Connection& connection, const std::string& system,
                                                const std::string& subject, const Sight& sight) {
    pqxx::nontransaction work{connection.raw()};
    return details_of(work.exec_params(FANFARE_COLUMNS
                                       "WHERE system = $1 AND subject = $2 "
                                       "AND state IN ('scheduled', 'publishing') AND " FANFARE_SEEN(
                                           "3", "4") "ORDER BY notification.due_at LIMIT 1000",
                                       system, subject, sight.systems, sight.sources));
}

Scheduling schedule_by_hand(Connection& connection, const ScheduledByHand& wanted) {
    const auto id = derived_id(derivation_of(wanted.key));
    pqxx::nontransaction work{connection.raw()};
    const auto put = work.exec_params(
        "INSERT INTO notification (system, kind, subject, occurrence, due_at, expires_at, params, "
        " data, job_id, origin, source) VALUES ($1, $2, $3, $4::timestamptz, $5::timestamptz, "
        " nullif($6, '')::timestamptz, $7::jsonb, $8::jsonb, $9::uuid, 'api', $10) "
        "ON CONFLICT DO NOTHING",
        wanted.key.system, wanted.key.kind, wanted.key.subject, wanted.key.occurrence,
        wanted.due_at, wanted.expires_at, wanted.params, wanted.data, id, wanted.source);
    const auto rows = work.exec_params(FANFARE_COLUMNS "WHERE job_id = $1::uuid", id);
    const auto same = work.exec_params(
        "SELECT (due_at, params, data, source) = ($2::timestamptz, $3::jsonb, $4::jsonb, $5) "
        "AND expires_at IS NOT DISTINCT FROM nullif($6, '')::timestamptz "
        "FROM notification WHERE job_id = $1::uuid",
        id, wanted.due_at, wanted.params, wanted.data, wanted.source, wanted.expires_at);
    return {.is_new = put.affected_rows() == 1,
            .same = same[0][0].as<bool>(),
            .detail = detail_of(rows[0])};
}

bool reschedule_by_hand(Connection& connection, const std::string& id, const Rescheduling& changes,
                        const std::string& by) {
    pqxx::nontransaction work{connection.raw()};
    return work.exec_params(
                   "UPDATE notification SET due_at = coalesce(nullif($2, '')::timestamptz, "
                   "due_at), "
                   "expires_at = coalesce(nullif($3, '')::timestamptz, expires_at), "
                   "params = coalesce(nullif($4, '')::jsonb, params), "
                   "data = coalesce(nullif($5, '')::jsonb, data), moved_by = $6, "
                   "lease_until = NULL, updated_at = app_now() "
                   "WHERE job_id = $1::uuid AND state = 'scheduled'",
                   id, changes.due_at, changes.expires_at, changes.params, changes.data, by)
               .affected_rows() == 1;
}

bool hurry_by_hand(Connection& connection, const std::string& id, const std::string& by) {
    pqxx::nontransaction work{connection.raw()};
    return work.exec_params(
                   "UPDATE notification SET due_at = least(due_at, app_now()), moved_by = $2, "
                   "lease_until = NULL, updated_at = app_now() WHERE job_id = $1::uuid "
                   "AND state = 'scheduled' AND coalesce(expires_at, 'infinity') > app_now()",
                   id, by)
               .affected_rows() == 1;
}

void cancel_by_hand(Connection& connection, const std::string& id, const std::string& by) {
    pqxx::nontransaction work{connection.raw()};
    work.exec_params(
        "UPDATE notification SET state = 'cancelled', cancelled_by = $2, lease_until = NULL, "
        "updated_at = app_now() WHERE job_id = $1::uuid AND state <> 'expired'",
        id, by);
}

std::string ledger_now(Connection& connection) {
    pqxx::nontransaction work{connection.raw()};
    return work.exec("SELECT " FANFARE_ISO("app_now()"))[0][0].c_str();
}

PublishedSince published_since(Connection& connection, const std::string& system,
                               const std::string& moment) {
    pqxx::nontransaction work{connection.raw()};
    PublishedSince since;
    since.published = details_of(work.exec_params(
        FANFARE_COLUMNS
        "WHERE system = $1 AND state = 'published' "
        "AND updated_at >= $2::timestamptz ORDER BY notification.due_at, job_id LIMIT 1000",
        system, moment));
    since.waiting =
        work.exec_params(
                "SELECT count(*) FROM notification WHERE system = $1 "
                "AND state IN ('scheduled', 'publishing') AND due_at <= $2::timestamptz",
                system, moment)[0][0]
            .as<std::int64_t>();
    return since;
}

}  // namespace fanfare::ledger
