#pragma once

#include "core/async/task_group.hpp"
#include "core/ledger/chunks.hpp"
#include "core/postgres/pool.hpp"

#include <boost/asio/awaitable.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace fanfare {

/// The counter at which chunks are claimed and recorded. While one statement is under way
/// the next requests queue up and share the following one: many chunks, one round trip and
/// one flush to disk.
///
/// Bounds    64 chunks a statement; one claim and one record statement at a time.
/// Stop      stop() ends the retries after a database fault; then await join().
/// Threads   one serial executor.
class Desk {
public:
    struct Options {
        std::chrono::milliseconds lease{60'000};
        std::function<std::int64_t()> token;  // Random, for claims.
    };
    Desk(const boost::asio::any_io_executor& executor, postgres::Pool& ledger, Options options);

    /// Ours, or nothing: it is settled, not yet due, or somebody else's.
    [[nodiscard]] boost::asio::awaitable<Result<std::optional<ledger::ClaimedChunk>>> claim(
        ledger::ClaimRequest request);

    /// True when written, false when somebody else took the chunk over meanwhile. Goes on
    /// trying while the database is away, until stop().
    [[nodiscard]] boost::asio::awaitable<Result<bool>> record(ledger::ChunkRecord record);

    void stop() { stopping_ = true; }
    [[nodiscard]] boost::asio::awaitable<void> join() { return tasks_.join(); }

    /// Called with the jobs whose last chunk here was just settled.
    std::function<void(const std::string& job)> on_settled;

private:
    template <class Request, class Answer>
    struct Ticket {
        explicit Ticket(const boost::asio::any_io_executor& executor) : ready{executor} {}
        Request request;
        std::optional<Result<Answer>> answer;
        Signal ready;
    };
    using ClaimTicket = Ticket<ledger::ClaimRequest, std::optional<ledger::ClaimedChunk>>;
    using RecordTicket = Ticket<ledger::ChunkRecord, bool>;

    [[nodiscard]] boost::asio::awaitable<void> serve_claims();
    [[nodiscard]] boost::asio::awaitable<void> serve_records();

    boost::asio::any_io_executor executor_;
    postgres::Pool& ledger_;
    Options options_;
    TaskGroup tasks_;
    std::deque<std::shared_ptr<ClaimTicket>> claims_;
    std::deque<std::shared_ptr<RecordTicket>> records_;
    bool claiming_ = false;
    bool recording_ = false;
    bool stopping_ = false;
};

}  // namespace fanfare
