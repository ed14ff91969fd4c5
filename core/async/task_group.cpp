#include "core/async/task_group.hpp"

#include "core/error/failure.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>

namespace fanfare {

namespace asio = boost::asio;

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : executor_{std::move(executor)}, idle_{executor_} {}

TaskGroup::~TaskGroup() { ensure(running_ == 0, "a task group is joined before it ends"); }

void TaskGroup::spawn(asio::awaitable<void> task) {
    ++running_;
    asio::co_spawn(executor_, std::move(task), [this](std::exception_ptr fault) {
        if (fault) std::rethrow_exception(fault);
        if (--running_ == 0) idle_.notify();
    });
}

asio::awaitable<void> TaskGroup::join() {
    while (running_ > 0) {
        co_await idle_.wait();
    }
}

}  // namespace fanfare
