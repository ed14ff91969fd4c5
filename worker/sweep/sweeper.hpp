#pragma once

#include "core/kafka/producer.hpp"
#include "core/settings/settings.hpp"
#include "worker/probes/probes.hpp"
#include "worker/receipts/receipt_desk.hpp"
#include "worker/send/desk.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>

namespace fanfare {

/// Brings back whatever stalls: Kafka carries the work, PostgreSQL owns the truth.
///
/// Every sweep_interval: chunks whose lease ran out are settled by their policy, chunks that
/// should have been claimed by now are published again, jobs that nobody plans are planned,
/// jobs whose every chunk is settled are closed, receipts that came early are applied. Many
/// sweepers may run; each row is one's.
///
/// Bounds    1,000 chunks of a kind a sweep.
/// Stop      stop(), then await run().
/// Threads   one serial executor.
class Sweeper {
public:
    struct Parts {
        boost::asio::any_io_executor executor;
        postgres::Pool& ledger;
        Desk& desk;
        kafka::Producer& producer;
        kafka::Topics topics;
        WorkerProbe& probe;
        std::function<void(const std::string& job)> plan;
        ReceiptDesk& receipts;
    };
    Sweeper(Parts parts, const WorkerSettings& settings)
        : parts_{std::move(parts)}, settings_{settings} {}

    [[nodiscard]] boost::asio::awaitable<void> run();
    void stop() { stopping_ = true; }

private:
    [[nodiscard]] boost::asio::awaitable<void> settle_stalled_chunks();
    [[nodiscard]] boost::asio::awaitable<void> republish_overdue();
    [[nodiscard]] boost::asio::awaitable<void> resume_plans();
    [[nodiscard]] boost::asio::awaitable<void> close_jobs();

    Parts parts_;
    const WorkerSettings& settings_;
    bool stopping_ = false;
};

}  // namespace fanfare
