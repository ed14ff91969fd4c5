#pragma once

#include "core/postgres/connection.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Jobs that the broker has acknowledged and no worker has taken: they are published again, from
/// the notifications, the API's orders and the outboxes that they came from. Functions block, throw
/// what libpqxx throws, and belong inside postgres::Pool::call().
namespace fanfare::ledger {

using postgres::Connection;

/// When a job counts as lost: so long after it was published last, doubled for every time it was
/// published again, up to 64 times. Older than `within`, it is given up.
struct UntakenTimes {
    std::chrono::milliseconds after{60'000};
    std::chrono::seconds within{604'800};
};

/// What became of those that were looked at.
struct UntakenTally {
    std::size_t taken = 0;              // Noted once and for all, as are those below.
    std::vector<std::string> refused;   // Jobs that are among the dead letters.
    std::vector<std::string> given_up;  // Jobs that nobody took for too long.
    std::size_t lost = 0;               // To be published again.
    [[nodiscard]] std::size_t looked_at() const {
        return taken + refused.size() + given_up.size() + lost;
    }
};

/// Looks at up to `limit` published notifications of `systems`; those whose job is lost can be
/// claimed at once.
[[nodiscard]] UntakenTally settle_notifications(Connection& connection,
                                                std::span<const std::string> systems,
                                                const UntakenTimes& times, int limit);

/// Looks at up to `limit` orders of the API; leaves those whose job is lost to lost_requests().
[[nodiscard]] UntakenTally settle_requests(Connection& connection, const UntakenTimes& times,
                                           int limit);

/// A job that is to be published again as it was.
struct LostJob {
    std::string id;
    std::string body;
    std::string trace;  // encode_trace(); "": of none.
};
/// Up to `limit` orders of the API whose job is lost; they count as published again.
[[nodiscard]] std::vector<LostJob> lost_requests(Connection& connection, const UntakenTimes& times,
                                                 int limit);

/// What became of a row of an outbox that was published.
struct OutboxMark {
    enum class State : std::uint8_t { waiting, taken, refused, given_up, lost };
    std::string id;
    std::string job;
    State state = State::waiting;
    std::string why;  // Of a refused one: code and message.
};
/// Up to `limit` rows of a system's outbox that are published; the oldest first.
[[nodiscard]] std::vector<OutboxMark> outbox_marks(Connection& connection,
                                                   const std::string& system,
                                                   const UntakenTimes& times, int limit);
/// Of the rows `ids`, those that another producer has published and that are not lost.
[[nodiscard]] std::vector<std::string> marked_rows(Connection& connection,
                                                   const std::string& system,
                                                   std::span<const std::string> ids,
                                                   const UntakenTimes& times);
/// A row that the broker has.
struct PublishedRow {
    std::string id;
    std::string job;
};
void mark_rows(Connection& connection, const std::string& system,
               std::span<const PublishedRow> rows);
/// The rows are settled, their marks and their jobs' refusals no longer needed.
void forget_rows(Connection& connection, const std::string& system,
                 std::span<const OutboxMark> marks);

/// Notes that a job was refused: it is among the dead letters, or too large for the broker.
void refuse_job(Connection& connection, const std::string& job, const std::string& code,
                const std::string& message);
/// Notes that a job was taken under another id.
void take_as(Connection& connection, const std::string& job, const std::string& other);
/// Forgets such notes when they are older than any source looks back.
void forget_absent(Connection& connection, const UntakenTimes& times);

}  // namespace fanfare::ledger
