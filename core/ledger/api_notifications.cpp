#include "core/ledger/api_notifications.hpp"

#include "core/ledger/iso.hpp"
#include "core/ledger/snapshot.hpp"

#include <pqxx/nontransaction>

namespace fanfare::ledger {
namespace {

#define FANFARE_COLUMNS \
    "SELECT system, kind, subject, " FANFARE_ISO("occurrence") ", job_id, "                    \
    FANFARE_ISO("due_at") ", coalesce(" FANFARE_ISO("expires_at") ", ''), params, data, state, " \
    "origin, source, coalesce(cancelled_by, ''), coalesce(moved_by, params_by, data_by, ''), " \
    FANFARE_ISO("created_at") ", " FANFARE_ISO("updated_at") ", epoch FROM notification "

/// Of an array literal as a parameter; "" stands for everything.
#define FANFARE_SEEN(systems, sources)                    \
    "($" systems " = '' OR system = ANY(nullif($" systems \
    ", '')::text[])) "                                    \
    "AND ($" sources " = '' OR source = ANY(nullif($" sources ", '')::text[])) "

/// By the name that people call it.
#define FANFARE_SUBJECT(number)                                                                   \
    "(subject = $" number " OR (subject ~>=~ ($" number " || E'\\x1f') AND subject ~<~ ($" number \
    " || ' '))) "

/// The same and its moments, as is_about() has it.
#define FANFARE_SUBJECT_OR_MOMENTS(number) \
    "(" FANFARE_SUBJECT(number) "OR is_about(subject, $" number ")) "

NotificationDetail read_detail(const pqxx::row& row) {
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
            .changed_by = row[13].c_str(),
            .created_at = row[14].c_str(),
            .updated_at = row[15].c_str(),
            .epoch = row[16].as<int>()};
}

std::vector<NotificationDetail> read_details(const pqxx::result& rows) {
    std::vector<NotificationDetail> details;
    for (const auto& row : rows) details.push_back(read_detail(row));
    return details;
}

}  // namespace

std::optional<NotificationDetail> find_notification(Connection& connection, const std::string& id,
                                                    const AccessFilter& access) {
    pqxx::nontransaction work{connection.raw()};
    return find_notification(work, id, access);
}

std::optional<NotificationDetail> find_notification(pqxx::transaction_base& work,
                                                    const std::string& id,
                                                    const AccessFilter& access) {
    const auto rows =
        work.exec_params(FANFARE_COLUMNS "WHERE job_id = $1::uuid AND " FANFARE_SEEN("2", "3"), id,
                         access.systems, access.sources);
    if (rows.empty()) return std::nullopt;
    return read_detail(rows[0]);
}

std::vector<NotificationDetail> page_of_notifications(Connection& connection,
                                                      const AccessFilter& access,
                                                      const NotificationFilter& filter, int limit) {
    pqxx::nontransaction work{connection.raw()};
    return read_details(work.exec_params(
        FANFARE_COLUMNS "WHERE " FANFARE_SEEN(
            "1", "2") "AND ($3 = '' OR system = $3) AND ($4 = '' OR kind = $4) "
                      "AND ($5 = '' OR " FANFARE_SUBJECT_OR_MOMENTS(
                          "5") ") "
                               "AND ($6 = '' OR state = nullif($6, '')::notification_state) "
                               "AND ($7 = '' OR (due_at, job_id) > (nullif($7, '')::timestamptz, "
                               "nullif($8, "
                               "'')::uuid)) "
                               "ORDER BY notification.due_at, job_id LIMIT $9",
        access.systems, access.sources, filter.system, filter.kind, filter.subject, filter.state,
        filter.after_at, filter.after_id, limit));
}

std::vector<NotificationKey> open_of_subject(Connection& connection, const std::string& system,
                                             const std::string& subject, const std::string& kind,
                                             const AccessFilter& access) {
    pqxx::nontransaction work{connection.raw()};
    std::vector<NotificationKey> keys;
    for (auto& detail : read_details(work.exec_params(
             FANFARE_COLUMNS
             "WHERE system = $1 AND ($3 = '' OR kind = $3) "
             "AND " FANFARE_SUBJECT_OR_MOMENTS(
                 "2") "AND (state IN ('scheduled', 'publishing') OR (state = 'published' AND ("
                      " NOT EXISTS (SELECT FROM job j WHERE j.id = notification.job_id) OR EXISTS ("
                      "  SELECT FROM job j WHERE (j.id = notification.job_id "
                      "   OR j.origin = notification.job_id) "
                      "  AND j.state IN ('planning', 'sending'))))) "
                      "AND " FANFARE_SEEN("4", "5") "ORDER BY notification.due_at LIMIT 1000",
             system, subject, kind, access.systems, access.sources))) {
        keys.push_back(std::move(detail.key));
    }
    return keys;
}

std::optional<NotificationDetail> latest_of_subject(Connection& connection,
                                                    const std::string& system,
                                                    const std::string& kind,
                                                    const std::string& subject,
                                                    const AccessFilter& access) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        FANFARE_COLUMNS "WHERE system = $1 AND kind = $2 AND " FANFARE_SUBJECT(
            "3") "AND " FANFARE_SEEN(
            "4", "5") "ORDER BY state IN ('scheduled', 'publishing') DESC, "
                      "state = 'published' DESC, CASE WHEN state IN ('scheduled', 'publishing') "
                      "THEN notification.due_at END, notification.occurrence DESC LIMIT 1",
        system, kind, subject, access.systems, access.sources);
    if (rows.empty()) return std::nullopt;
    return read_detail(rows[0]);
}

std::string ledger_now(Connection& connection) {
    pqxx::nontransaction work{connection.raw()};
    return work.exec("SELECT " FANFARE_ISO("app_now()"))[0][0].c_str();
}

PublishedSince published_since(Connection& connection, const std::string& system,
                               const std::string& moment, const AccessFilter& access) {
    // What leaves the one while we look is in the other, or in neither.
    Snapshot work{connection.raw()};
    PublishedSince since;
    since.published =
        read_details(work.exec_params(
            FANFARE_COLUMNS "WHERE system = $1 AND state = 'published' "
                            "AND updated_at >= $2::timestamptz AND " FANFARE_SEEN(
                                "3", "4") "ORDER BY notification.due_at, job_id LIMIT 1000",
            system, moment, access.systems, access.sources));
    since.waiting =
        work.exec_params(
                "SELECT count(*) FROM notification WHERE system = $1 "
                "AND state IN ('scheduled', 'publishing') AND due_at <= $2::timestamptz "
                "AND " FANFARE_SEEN("3", "4"),
                system, moment, access.systems, access.sources)[0][0]
            .as<std::int64_t>();
    return since;
}

}  // namespace fanfare::ledger
