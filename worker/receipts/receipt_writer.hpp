#pragma once

#include "core/async/task_group.hpp"
#include "core/clock/clock.hpp"
#include "core/kafka/consumer.hpp"
#include "core/observe/seldom.hpp"
#include "core/wire/receipt.hpp"
#include "worker/probes/probes.hpp"
#include "worker/receipts/receipt_store.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <vector>

namespace fanfare {

/// Brings receipts into the ledger: gathers what arrives within a moment, so that a chunk is
/// written once for many of its receipts, raises outcomes, suppresses dead addresses and
/// complaints, counts soft bounces. A record is finished when its receipts are written.
///
/// Bounds    50,000 receipts waiting; the topic is paused above.
/// Stop      stop() ends the retries after a fault of the store; then await join().
/// Threads   one serial executor.
class ReceiptWriter {
public:
    struct Parts {
        ReceiptStore& store;
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
