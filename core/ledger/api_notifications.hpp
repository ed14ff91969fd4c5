#pragma once

#include "core/ledger/api_jobs.hpp"
#include "core/ledger/notifications.hpp"

#include <optional>
#include <string>
#include <vector>

/// Notifications as the HTTP API shows them. Functions block, throw what libpqxx throws, and
/// belong inside postgres::Pool::run().
namespace fanfare::ledger {

/// Moments are ISO 8601 in UTC, "" for none.
struct NotificationDetail {
    NotificationKey key;
    std::string id;  // The id of its job, too.
    std::string due_at;
    std::string expires_at;
    std::string params;  // JSON objects.
    std::string data;
    std::string state;
    std::string origin;
    std::string source;
    std::string cancelled_by;
    std::string created_at;
    std::string updated_at;
    int epoch = 0;
};
[[nodiscard]] std::optional<NotificationDetail> find_notification(Connection& connection,
                                                                  const std::string& id,
                                                                  const Sight& sight);

/// A page, in the order of due_at. Fields that are "" do not filter.
struct NotificationFilter {
    std::string system;
    std::string kind;
    std::string subject;
    std::string state;
    std::string after_at;  // The last one of the page before ...
    std::string after_id;  // ... and its id.
};
[[nodiscard]] std::vector<NotificationDetail> page_of_notifications(
    Connection& connection, const Sight& sight, const NotificationFilter& filter, int limit);

/// What is scheduled or being published of a subject, at most 1,000.
[[nodiscard]] std::vector<NotificationDetail> open_of_subject(Connection& connection,
                                                              const std::string& system,
                                                              const std::string& subject,
                                                              const Sight& sight);

/// A notification that no due query finds. Moments as format_timestamp() writes them.
struct ScheduledByHand {
    NotificationKey key;
    std::string due_at;
    std::string expires_at;  // "": never.
    std::string params;      // JSON objects.
    std::string data;
    std::string source;
};
/// The notification of this key as it is now, whoever scheduled it.
struct Scheduling {
    bool is_new = false;
    bool same = true;  // It says what was asked for.
    NotificationDetail detail;
};
[[nodiscard]] Scheduling schedule_by_hand(Connection& connection, const ScheduledByHand& wanted);

/// Another moment, for good. Fields that are "" stay. False when it is not scheduled any more.
struct Rescheduling {
    std::string due_at;
    std::string expires_at;
    std::string params;
    std::string data;
};
[[nodiscard]] bool reschedule_by_hand(Connection& connection, const std::string& id,
                                      const Rescheduling& changes, const std::string& by);

/// Due at once; false as above.
[[nodiscard]] bool hurry_by_hand(Connection& connection, const std::string& id,
                                 const std::string& by);

/// Cancels one for good, in whatever state; its job is cancel_wherever()'s business.
void cancel_by_hand(Connection& connection, const std::string& id, const std::string& by);

/// What a system's notifications became since a moment of the ledger's clock.
struct PublishedSince {
    std::vector<NotificationDetail> published;
    std::int64_t waiting = 0;  // Due, and not published yet.
};
[[nodiscard]] std::string ledger_now(Connection& connection);
[[nodiscard]] PublishedSince published_since(Connection& connection, const std::string& system,
                                             const std::string& moment);

}  // namespace fanfare::ledger
