#include "worker/sweep/time_watch.hpp"

#include "core/async/task_group.hpp"
#include "core/clock/timer.hpp"

#include <spdlog/spdlog.h>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::seconds look_at_time{1};
constexpr int readings_per_mend = 30;

}  // namespace

asio::awaitable<void> TimeWatch::run() {
    for (int readings = 0; !stopping_; ++readings) {
        co_await look();
        if (readings % readings_per_mend == 0) co_await mend();
        co_await pause_to_beat(look_at_time);
    }
}

asio::awaitable<void> TimeWatch::look() {
    if (!parts_.clock.is_known()) parts_.hold(true);
    const auto reading = co_await parts_.store.read();
    if (reading) learn(reading.value());
}

asio::awaitable<void> TimeWatch::mend() {
    const auto believed = parts_.clock.now();
    const auto mended = co_await parts_.store.mend(parts_.lease, parts_.republish_after, believed);
    if (!mended) spdlog::warn("{}", describe(mended.error()));
    if (mended && mended.value() > 0) {
        spdlog::warn("{} moments that a wrong clock had written were set right", mended.value());
    }
}

void TimeWatch::learn(const ledger::ClockReading& reading) {
    ledger::learn_time(parts_.clock, reading);
    const bool is_steady = parts_.clock.is_steady();
    parts_.probe.clock(std::chrono::duration<double>(parts_.clock.skew()).count(), is_steady);
    parts_.hold(!is_steady || !parts_.clock.is_known());
}

}  // namespace fanfare
