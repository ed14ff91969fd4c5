#include "core/clock/timer.hpp"

#include "core/clock/virtual_time.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <random>
#include <tuple>

namespace fanfare {

namespace asio = boost::asio;

Timer::Timer(const asio::any_io_executor& executor)
    : executor_{executor}, virtual_time_{VirtualTime::find(executor)} {
    if (virtual_time_ == nullptr) {
        waits_.emplace<asio::steady_timer>(executor);
    } else {
        waits_.emplace<Signal>(executor);
    }
}

Timer::~Timer() {
    if (virtual_time_ != nullptr) virtual_time_->forget(*this);
}

asio::awaitable<bool> Timer::wait(std::chrono::nanoseconds duration) {
    if (virtual_time_ == nullptr) {
        auto& timer = std::get<asio::steady_timer>(waits_);
        timer.expires_after(duration);
        const auto [fault] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        co_return !fault;
    }
    expired_ = false;
    virtual_time_->call(*this, duration);
    co_await std::get<Signal>(waits_).wait();
    co_return expired_;
}

void Timer::cancel() {
    if (virtual_time_ == nullptr) {
        std::get<asio::steady_timer>(waits_).cancel();
    } else {
        virtual_time_->forget(*this);
        std::get<Signal>(waits_).notify();
    }
}

void Timer::expire() {
    expired_ = true;
    std::get<Signal>(waits_).notify();
}

std::optional<SteadyTime> Timer::now() const {
    if (virtual_time_ != nullptr) return std::nullopt;
    return asio::steady_timer::clock_type::now();
}

asio::awaitable<void> pause_for(std::chrono::nanoseconds duration) {
    Timer timer{co_await asio::this_coro::executor};
    std::ignore = co_await timer.wait(duration);
}

asio::awaitable<void> pause_to_beat(std::chrono::nanoseconds interval) {
    static const std::chrono::nanoseconds program_phase{std::random_device{}()};
    Timer timer{co_await asio::this_coro::executor};
    const auto now = timer.now();
    const auto wait = now ? until_beat(*now, interval, program_phase) : interval;
    std::ignore = co_await timer.wait(wait);
}

std::chrono::nanoseconds until_beat(SteadyTime now, std::chrono::nanoseconds interval,
                                    std::chrono::nanoseconds phase) {
    const auto left = interval - (now.time_since_epoch() + phase) % interval;
    return left < interval / 2 ? left + interval : left;
}

}  // namespace fanfare
