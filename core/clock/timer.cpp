#include "core/clock/timer.hpp"

#include "core/clock/virtual_time.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <tuple>

namespace fanfare {

namespace asio = boost::asio;

Timer::Timer(const asio::any_io_executor& executor)
    : timer_{executor}, virtual_time_{VirtualTime::find(executor)} {}

Timer::~Timer() {
    if (virtual_time_ != nullptr) virtual_time_->forget(*this);
}

asio::awaitable<bool> Timer::wait(std::chrono::nanoseconds duration) {
    if (virtual_time_ == nullptr) {
        timer_.expires_after(duration);
        const auto [fault] = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        co_return !fault;
    }
    expired_ = false;
    timer_.expires_at(asio::steady_timer::time_point::max());
    virtual_time_->call(*this, duration);
    std::ignore = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return expired_;
}

void Timer::cancel() {
    if (virtual_time_ != nullptr) virtual_time_->forget(*this);
    timer_.cancel();
}

void Timer::expire() {
    expired_ = true;
    timer_.cancel();
}

asio::awaitable<void> pause_for(std::chrono::nanoseconds duration) {
    Timer timer{co_await asio::this_coro::executor};
    std::ignore = co_await timer.wait(duration);
}

}  // namespace fanfare
