#include "worker/worker.hpp"

#include "core/clock/timer.hpp"
#include "core/ledger/first_look.hpp"
#include "core/program/exit_codes.hpp"
#include "worker/stages.hpp"

#include <spdlog/spdlog.h>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <utility>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::uint32_t urgent_lanes = 2;

class StagedWorker final : public Worker {
public:
    StagedWorker(Configuration configuration, Shutdown& shutdown)
        : stages_{std::move(configuration), shutdown} {}

    Result<void> open() { return stages_.open(); }

    int run() override {
        const auto refused =
            ledger::wait_for_ledger(stages_.settings, stages_.loop, stages_.stopping);
        if (refused) return *refused;
        if (const auto opened = stages_.open_consumer(); !opened) {
            spdlog::critical("{}", describe(opened.error()));
            return exit_unavailable;
        }
        TaskGroup tasks{stages_.loop.get_executor()};
        tasks.spawn(serve());
        stages_.loop.run();
        return exit_code_;
    }

private:
    asio::awaitable<void> serve() {
        spdlog::info("worker {} started: {} accounts, {} systems", stages_.name,
                     stages_.selector->all().size(), stages_.systems.size());
        asio::signal_set signals{stages_.loop, SIGTERM, SIGINT};
        co_await stages_.accounts->look();  // Before anything begins.
        co_await stages_.time.look();
        TaskGroup lanes{stages_.loop.get_executor()};
        for (const auto channel : channels) {
            for (std::uint32_t i = 0; i < stages_.sender->lanes(channel); ++i) {
                lanes.spawn(stages_.sender->run_lane(channel));
            }
            for (std::uint32_t i = 0; i < urgent_lanes; ++i) {
                lanes.spawn(stages_.sender->run_urgent_lane(channel));
            }
        }
        TaskGroup upkeep{stages_.loop.get_executor()};
        upkeep.spawn(stages_.sweeper->run());
        upkeep.spawn(stages_.write_backs.run());
        upkeep.spawn(stages_.opt_outs.run());
        upkeep.spawn(tick());
        upkeep.spawn(stages_.accounts->run());
        upkeep.spawn(stages_.time.run());
        upkeep.spawn(stages_.watch->run());
        upkeep.spawn(stages_.watch->hear());
        stages_.batcher.on_settled = [this](const std::string& job) {
            stages_.closer.close_soon(job);
        };
        co_await signals.async_wait(asio::use_awaitable);
        co_await stages_.drain(lanes, upkeep, signals);
        stages_.loop.stop();
    }

    asio::awaitable<void> tick() {
        while (!stages_.stopping) {
            stages_.loop_turned = system_clock().steady_now();
            stages_.polled = true;
            stages_.settle_warnings(false);
            if (stages_.consumer->is_fatal()) {
                spdlog::critical("kafka client failed for good; restart the worker");
                exit_code_ = exit_unavailable;
                stages_.shutdown.set_exit_code(exit_code_);
                std::raise(SIGTERM);
                co_return;
            }
            co_await pause_to_beat(std::chrono::milliseconds{500});
        }
    }

    Stages stages_;
    int exit_code_ = 0;
};

}  // namespace

Result<std::unique_ptr<Worker>> Worker::open(Configuration configuration, Shutdown& shutdown) {
    auto worker = std::make_unique<StagedWorker>(std::move(configuration), shutdown);
    if (auto done = worker->open(); !done) return done.error();
    return std::unique_ptr<Worker>{std::move(worker)};
}

}  // namespace fanfare
