#include "core/clock/virtual_time.hpp"

#include "core/clock/timer.hpp"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>

#include <algorithm>

namespace fanfare {
namespace {

namespace asio = boost::asio;

/// Where a context keeps whose time its timers wait for.
class TimeOfContext final : public asio::execution_context::service {
public:
    static inline asio::execution_context::id id;

    explicit TimeOfContext(asio::execution_context& context)
        : asio::execution_context::service{context} {}

    VirtualTime* time = nullptr;

private:
    void shutdown() override {}
};

}  // namespace

void VirtualTime::attach(asio::io_context& loop) {
    asio::use_service<TimeOfContext>(loop).time = this;
    loops_.push_back(&loop);
}

void VirtualTime::detach(asio::io_context& loop) {
    freeze(loop);
    std::erase_if(due_, [&](const auto& entry) {
        if (entry.second.loop != &loop) return false;
        entry.second.timer->turn_.reset();
        return true;
    });
}

void VirtualTime::freeze(asio::io_context& loop) { std::erase(loops_, &loop); }

void VirtualTime::thaw(asio::io_context& loop) { loops_.push_back(&loop); }

TimePoint VirtualTime::now() const noexcept {
    return begins_ + std::chrono::duration_cast<std::chrono::microseconds>(now_.time_since_epoch());
}

VirtualTime* VirtualTime::find(const asio::any_io_executor& executor) {
    auto& context = asio::query(executor, asio::execution::context);
    if (!asio::has_service<TimeOfContext>(context)) return nullptr;
    return asio::use_service<TimeOfContext>(context).time;
}

void VirtualTime::run_for(std::chrono::nanoseconds duration) {
    const auto end = now_ + duration;
    while (step(end)) {
    }
    now_ = std::max(now_, end);
}

void VirtualTime::settle() {
    while (run_one()) {
    }
}

bool VirtualTime::step(SteadyTime end) { return run_one() || move_on(end); }

bool VirtualTime::run_one() {
    return std::any_of(loops_.begin(), loops_.end(), [](auto* loop) {
        loop->restart();
        return loop->poll_one() > 0;
    });
}

bool VirtualTime::move_on(SteadyTime end) {
    if (due_.empty() || due_.begin()->first.first > end) return false;
    const auto [due, waiting] = *due_.begin();
    now_ = std::max(now_, due.first);
    forget(*waiting.timer);
    waiting.timer->expire();
    return true;
}

void VirtualTime::call(Timer& timer, std::chrono::nanoseconds after) {
    forget(timer);
    timer.turn_.emplace(now_ + std::max(after, std::chrono::nanoseconds{0}), ++calls_);
    const auto& loop = asio::query(timer.executor_, asio::execution::context);
    due_.emplace(*timer.turn_, Waiting{&timer, &loop});
}

void VirtualTime::forget(Timer& timer) {
    if (!timer.turn_) return;
    due_.erase(*timer.turn_);
    timer.turn_.reset();
}

}  // namespace fanfare
