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
    std::string changed_by;  // Who last moved or changed it by hand; "": nobody.
    std::string created_at;
    std::string updated_at;
    int epoch = 0;
};
[[nodiscard]] std::optional<NotificationDetail> find_notification(Connection& connection,
                                                                  const std::string& id,
                                                                  const AccessFilter& access);
[[nodiscard]] std::optional<NotificationDetail> find_notification(pqxx::transaction_base& work,
                                                                  const std::string& id,
                                                                  const AccessFilter& access);

/// A page, in the order of due_at. Fields that are "" do not filter.
struct NotificationFilter {
    std::string system;
    std::string kind;
    std::string subject;  // And its moments.
    std::string state;
    std::string after_at;  // The last one of the page before ...
    std::string after_id;  // ... and its id.
};
[[nodiscard]] std::vector<NotificationDetail> page_of_notifications(
    Connection& connection, const AccessFilter& access, const NotificationFilter& filter,
    int limit);

/// What is scheduled of a subject and its moments, being published, or on its way to people still,
/// of one kind or, with "", of all; the earliest first, at most 1,000.
[[nodiscard]] std::vector<NotificationKey> open_of_subject(Connection& connection,
                                                           const std::string& system,
                                                           const std::string& subject,
                                                           const std::string& kind,
                                                           const AccessFilter& access);

/// The one notification that a person means by subject and kind: the next that is to come, else
/// the latest that was published, else the latest.
[[nodiscard]] std::optional<NotificationDetail> latest_of_subject(Connection& connection,
                                                                  const std::string& system,
                                                                  const std::string& kind,
                                                                  const std::string& subject,
                                                                  const AccessFilter& access);

/// What a system's notifications that are in sight became since a moment of the ledger's clock.
struct PublishedSince {
    std::vector<NotificationDetail> published;
    std::int64_t waiting = 0;  // Due, and not published yet.
};
[[nodiscard]] std::string ledger_now(Connection& connection);
[[nodiscard]] PublishedSince published_since(Connection& connection, const std::string& system,
                                             const std::string& moment, const AccessFilter& access);

}  // namespace fanfare::ledger
