#pragma once

#include "core/clock/clock.hpp"
#include "core/ledger/clock.hpp"
#include "core/postgres/connection.hpp"

#include <pqxx/transaction>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The ledger's notifications: what is due, and when. Functions block, throw what libpqxx
/// throws, and belong inside postgres::Pool::call(). Moments are ISO 8601 in UTC, as
/// format_timestamp() writes them.
namespace fanfare::ledger {

using postgres::Connection;

/// Names one notification. A moved show has a new occurrence: it is another notification.
struct NotificationKey {
    std::string system;
    std::string kind;
    std::string subject;
    std::string occurrence;
    auto operator<=>(const NotificationKey&) const = default;
};

/// The text a notification's job id and idempotency key come from:
/// "<system>/<kind>/<subject>/<occurrence>".
[[nodiscard]] std::string derivation_name(const NotificationKey& key);

/// The subject as the ledger keeps it of a notification that an owner has scheduled: what others
/// call by the same name is another one, and tells nobody that there is this.
[[nodiscard]] std::string subject_of_owner(std::string_view subject, std::string_view owner);
/// The subject as its owner calls it; any other as it is.
[[nodiscard]] std::string_view plain_subject(std::string_view subject) noexcept;

/// What a due query found.
struct DueRow {
    std::string subject;
    std::string occurrence;
    std::string due_at;
    std::string expires_at;  // "": never.
    std::string params;      // JSON objects.
    std::string data;
    std::string owner = "scheduler";  // Whose it is: who sees it, and whose texts it says.
};

struct RefreshCounts {
    std::size_t found = 0;    // New.
    std::size_t changed = 0;  // Other data, or back again after they were cancelled.
    std::size_t cancelled = 0;

    RefreshCounts& operator+=(const RefreshCounts& more);
};
/// What one refresh changed.
struct RefreshTally : RefreshCounts {
    std::size_t stopped = 0;  // Published, and not done when their row was gone.
    std::map<std::string, RefreshCounts, std::less<>> by_source;  // Whose it is.

    void add(const std::string& source, const RefreshCounts& more);
    [[nodiscard]] bool is_news() const noexcept {
        return found + changed + cancelled + stopped > 0;
    }
    RefreshTally& operator+=(const RefreshTally& more);
};

/// Brings the notifications of one (system, kind) up to what its due query finds, in one
/// transaction. Only what is still scheduled changes; what it cancelled and is found again is
/// scheduled again. What people cancelled, moved or inserted stays as they had it.
///
///     if (auto refresh = NotificationRefresh::begin(...)) { add(rows) ...; finish(true); }
///
/// Of all of them or, with only(), of some subjects.
///
/// The query runs between begin() and finish(): of several producers only one refreshes a
/// kind at a time, so that no old finding undoes a newer one.
///
/// Lifetime  the connection serves nothing else meanwhile. Without finish() nothing happened.
class NotificationRefresh {
public:
    /// Nothing when another producer is at it. A producer that stands still between two statements
    /// for longer than `silence_max` loses its turn to the others: it may be frozen, or cut off.
    [[nodiscard]] static std::optional<NotificationRefresh> begin(
        Connection& connection, const std::string& system, const std::string& kind,
        std::chrono::seconds horizon, std::chrono::milliseconds silence_max, const Clock& clock);

    /// What the database's clock showed once it was this one's turn.
    [[nodiscard]] const ClockReading& reading() const noexcept { return reading_; }
    /// app_now() + horizon: the query's parameter.
    [[nodiscard]] const std::string& horizon() const noexcept { return horizon_; }

    /// From here on this is about these subjects: nothing else may be added, and nothing else is
    /// cancelled or stopped.
    void only(std::span<const std::string> subjects);

    void add(std::span<const DueRow> rows);

    /// Goes on, though there is nothing to add: that counts as no silence. Asks nothing of who has
    /// said something a moment ago.
    void touch();

    /// A row that cannot be used: what it may speak of is neither changed nor cancelled. That is
    /// everything of its subject or, where it has none, of its occurrence; "" where it has none.
    /// Then no job is ended either: what is cancelled may be found again, who was left out may not.
    void keep(std::string_view subject, std::string_view occurrence);

    /// Commits. With `complete`, scheduled notifications within the horizon that were neither
    /// added nor kept and whose moment is still to come are cancelled. With `stops_gone`, the jobs
    /// of published ones that are gone likewise end, too, unless they would have expired.
    [[nodiscard]] RefreshTally finish(bool complete, bool stops_gone = false);

private:
    explicit NotificationRefresh(const Clock& clock) : clock_{&clock} {}
    void stop_gone();

    const Clock* clock_;
    ClockReading reading_;
    SteadyTime::duration silence_{};    // touch() lets so much of it be.
    SteadyTime spoken_{};               // When anything was last said.
    Connection* connection_ = nullptr;  // Of work_.
    std::unique_ptr<pqxx::work> work_;
    std::string system_;
    std::string kind_;
    std::string horizon_;
    std::optional<std::string> only_;  // Subjects, as an array literal.
    postgres::ArrayLiteral subjects_;  // Everything added.
    postgres::ArrayLiteral occurrences_;
    postgres::ArrayLiteral kept_subjects_;
    postgres::ArrayLiteral kept_occurrences_;
    bool nameless_ = false;  // A row without a subject was kept.
    RefreshTally tally_;
};

/// A notification that is ours to publish until its lease runs out.
struct ClaimedNotification {
    NotificationKey key;
    std::int32_t epoch = 0;
    std::string job;  // Its job's id.
    std::string expires_at;
    std::string params;
    std::string data;
    std::string source = "scheduler";  // Who scheduled it: its job is theirs to see.
    TimePoint due{};                   // Or known of, whichever came later.
};
struct NotificationClaims {
    std::vector<ClaimedNotification> claimed;
    std::vector<NotificationKey> expired;  // Too late to be published; settled.
};

/// Claims up to `limit` notifications of `systems` that are due and nobody else's.
[[nodiscard]] NotificationClaims claim_notifications(Connection& connection,
                                                     std::span<const std::string> systems,
                                                     int limit, std::chrono::milliseconds lease);

/// A claim, named by whoever holds it.
struct NotificationHold {
    NotificationKey key;
    std::int32_t epoch = 0;
};
/// What became of a notification that the broker has.
struct PublishedNotification {
    NotificationKey key;
    std::chrono::microseconds lag{0};  // Since it was due and known.
};
/// Marks as published, fenced by epoch; what is missing in the answer was taken over by
/// another producer, whose word counts.
[[nodiscard]] std::vector<PublishedNotification> mark_published(
    Connection& connection, std::span<const NotificationHold> holds);

/// Lengthens the leases of claims whose records are still on their way to the broker.
void renew_notifications(Connection& connection, std::span<const NotificationHold> holds,
                         std::chrono::milliseconds lease);

/// Gives claims back that cannot be published as they are; they may change meanwhile and
/// are due again after `wait`.
void give_back_notifications(Connection& connection, std::span<const NotificationHold> holds,
                             std::chrono::milliseconds wait);

/// How long until the next notification of `systems` can be claimed: 0 or less when one can
/// be now, nothing when none is known.
[[nodiscard]] std::optional<std::chrono::microseconds> next_notification_in(
    Connection& connection, std::span<const std::string> systems);

/// How many wait to be published.
[[nodiscard]] std::int64_t count_waiting(Connection& connection,
                                         std::span<const std::string> systems);

/// One line of the schedule, for people.
struct NotificationLine {
    NotificationKey key;
    std::string due_at;
    std::string expires_at;
    std::string state;
    std::string job;
    double due_in_s = 0;  // Negative: overdue, or done.
};
/// What comes next; with `all`, also the latest of what was.
[[nodiscard]] std::vector<NotificationLine> list_notifications(Connection& connection, int limit,
                                                               bool all);

}  // namespace fanfare::ledger
