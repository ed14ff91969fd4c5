#include "core/async/task_group.hpp"

#include "core/error/failure.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>

namespace fanfare {

namespace asio = boost::asio;
using asio::as_tuple;
using asio::use_awaitable;

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : executor_{std::move(executor)}, idle_{executor_, asio::steady_timer::time_point::max()} {}

TaskGroup::~TaskGroup() { ensure(running_ == 0, "a task group is joined before it ends"); }

void TaskGroup::spawn(asio::awaitable<void> task) {
    ++running_;
    asio::co_spawn(executor_, std::move(task), [this](std::exception_ptr fault) {
        if (fault) std::rethrow_exception(fault);
        if (--running_ == 0) idle_.cancel();
    });
}

asio::awaitable<void> TaskGroup::join() {
    while (running_ > 0) {
        co_await idle_.async_wait(as_tuple(use_awaitable));
    }
}

Signal::Signal(const asio::any_io_executor& executor)
    : timer_{executor, asio::steady_timer::time_point::max()} {}

void Signal::notify() { timer_.cancel(); }

void Signal::notify_one() { timer_.cancel_one(); }

asio::awaitable<void> Signal::wait() { co_await timer_.async_wait(as_tuple(use_awaitable)); }

}  // namespace fanfare
