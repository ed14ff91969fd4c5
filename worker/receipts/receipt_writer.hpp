#pragma once

#include "core/async/task_group.hpp"
#include "core/clock/clock.hpp"
#include "core/kafka/consumer.hpp"
#include "core/ledger/receipts.hpp"
#include "core/observe/seldom.hpp"
#include "core/postgres/pool.hpp"
#include "core/wire/receipt.hpp"
#include "worker/probes/probes.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <span>
#include <vector>

namespace fanfare {

/// What became of receipts; those that PostgreSQL refuses for what they say are dropped.
struct Heard {
    ledger::ReceiptTally tally;
    std::size_t refused = 0;
};
/// Raises outcomes, suppresses addresses, counts soft bounces. One receipt that is refused holds up
/// no other.
[[nodiscard]] Heard write_receipts(postgres::Connection& ledger,
                                   std::span<const ReceiptBatch> batches, int soft_bounces_max);

/// Brings receipts into the ledger: gathers what arrives within a moment, so that a chunk is
/// written once for many of its receipts, raises outcomes, suppresses dead addresses and
/// complaints, counts soft bounces. A record is finished when its receipts are written.
///
/// Bounds    50,000 receipts waiting; the topic is paused above.
/// Stop      stop() ends the retries after a database fault; then await join().
/// Threads   one serial executor.
class ReceiptWriter {
public:
    struct Parts {
        postgres::Pool& ledger;
        WorkerProbe& probe;
        int soft_bounces_max = 5;
        std::function<void(const kafka::Received&)> finished;
        std::function<void(bool)> pause;  // The topic of receipts.
        const Clock& clock;
    };
    ReceiptWriter(const boost::asio::any_io_executor& executor, Parts parts)
        : parts_{std::move(parts)}, tasks_{executor} {}

    /// Takes one record of <prefix>.receipts.
    void take(kafka::Received record);

    /// Applies what was kept because its chunk was claimed. Called now and then.
    [[nodiscard]] boost::asio::awaitable<void> apply_early();

    void stop() { stopping_ = true; }
    /// Logs what was counted and not told: each turn of the worker, and `at_once` at its end.
    void settle_warnings(bool at_once) { dropped_.settle(at_once); }
    [[nodiscard]] boost::asio::awaitable<void> join() { return tasks_.join(); }

private:
    [[nodiscard]] boost::asio::awaitable<void> write_all();
    [[nodiscard]] boost::asio::awaitable<bool> write(const std::vector<ReceiptBatch>& batches);

    Parts parts_;
    TaskGroup tasks_;
    std::vector<ReceiptBatch> waiting_;
    std::vector<kafka::Received> records_;  // Of `waiting_`, without their bytes.
    std::size_t receipts_waiting_ = 0;
    bool writing_ = false;
    bool paused_ = false;
    bool stopping_ = false;
    Seldom dropped_{"records of receipts dropped: not understood", parts_.clock};
};

}  // namespace fanfare
