// How a worker ends: nothing new is taken, what is claimed is sent and recorded, and the order in
// which stages stop is the order in which work flows. What does not end in time is left to leases.
#include "core/clock/timer.hpp"
#include "worker/stages.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdlib>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::milliseconds publish_max{1'000};
constexpr std::chrono::milliseconds close_max{1'500};
constexpr std::chrono::milliseconds leave_max{1'000};
constexpr std::chrono::milliseconds spans_max{1'000};  // For what is left of them.

}  // namespace

asio::awaitable<void> Stages::drain(TaskGroup& sending, TaskGroup& upkeep,
                                    asio::signal_set& signals) {
    spdlog::info("draining: what is claimed is sent and recorded, then the worker ends");
    shutdown.begin(settings.worker.drain_max, [this] { leave_the_rest(); });
    signals.async_wait([](const boost::system::error_code& fault, int) {
        if (!fault) std::_Exit(130);  // Asked twice: leases settle what is in flight.
    });
    stopping = true;
    dispatcher.stop();
    sender->stop();
    for (const auto& account : selector->all()) account->pacer().stop();
    intake->stop();
    receipts->stop();
    sweeper->stop();
    write_backs.stop();
    opt_outs.stop();
    watch->stop();
    accounts->stop();
    time.stop();
    co_await sending.join();
    batcher.stop();
    co_await batcher.join();
    co_await receipts->join();
    co_await upkeep.join();
    co_await finish_publishing();
    co_await intake->join();
    co_await closer.join();
    signals.cancel();
    selector->clear();
    if (tracer) tracer->finish(spans_max);
    shutdown.close_within(close_max);
    consumer->stop();
    settle_warnings(true);
    spdlog::info("drained");
}

/// Dead letters are waited for, for a moment; of all else the ledger knows.
asio::awaitable<void> Stages::finish_publishing() {
    const auto end = system_clock().steady_now() + publish_max;
    while (producer->waiting() > 0 && system_clock().steady_now() < end) {
        co_await pause_for(std::chrono::milliseconds{10});
    }
    producer->give_up();
}

/// When a drain takes too long; on the thread of the shutdown.
void Stages::leave_the_rest() {
    spdlog::warn(
        "worker.drain_max_ms is over: {} chunks in flight are left to their leases, and what "
        "is being planned to another worker",
        probe.chunks_in_flight());
    consumer->leave(leave_max);
}

void Stages::settle_warnings(bool at_once) {
    dropped.settle(at_once);
    intake->settle_warnings(at_once);
    receipts->settle_warnings(at_once);
}

}  // namespace fanfare
