#pragma once

#include "core/ledger/api_notifications.hpp"
#include "core/systems/system.hpp"

#include <cstdint>
#include <string>

/// What people and backends change of the schedule by hand, beside the due queries: through the
/// HTTP API and the command line alike. `by`: who it is. Functions block, throw what libpqxx
/// throws, and belong inside postgres::Pool::run(). Publishers wake for what is due sooner.
namespace fanfare::ledger {

/// What came of a change by hand. But for `done` nothing has changed.
enum class Edit : std::uint8_t {
    done,
    unknown,      // There is none in sight.
    too_late,     // It is not scheduled any more; to be cancelled: it expired, or its job is over.
    past_expiry,  // It would have expired when it is due.
};

/// A notification that no due query finds; refreshes neither change nor cancel it. Moments as
/// format_timestamp() writes them.
struct NewNotification {
    NotificationKey key;
    std::string due_at;
    std::string expires_at;    // "": never.
    std::string params{"{}"};  // JSON objects.
    std::string data{"{}"};
    std::string source;      // Who asks for it.
    bool is_owners = false;  // An owner, whose subjects are kept apart from all others'.
};
/// The notification of this key as it is now, whoever scheduled it.
struct Scheduling {
    bool is_new = false;
    bool same = true;  // It says what was asked for, or did when the same was asked first.
    NotificationDetail detail;
};
[[nodiscard]] Scheduling schedule_notification(Connection& connection,
                                               const NewNotification& wanted);

/// What a notification is to be instead; no refresh undoes it. Fields that are "" stay, and are the
/// due query's as before; both moments together are one.
struct NewMoment {
    std::string due_at;
    std::string expires_at;
    std::string params;
    std::string data;
};
[[nodiscard]] Edit reschedule_notification(Connection& connection, const std::string& id,
                                           const NewMoment& changes, const std::string& by);

/// Due at once.
[[nodiscard]] Edit send_notification_now(Connection& connection, const std::string& id,
                                         const std::string& by);

/// Cancels one moment for good, and its job where there may be one: found again it stays
/// cancelled, and so does one that no due query has found yet.
[[nodiscard]] Edit cancel_notification(Connection& connection, const Systems& systems,
                                       const NotificationKey& key, const AccessFilter& access,
                                       const std::string& by);

}  // namespace fanfare::ledger
