#pragma once

#include "core/async/task_group.hpp"
#include "core/clock/clock.hpp"
#include "core/clock/timer.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {

/// What a program cannot work without: PostgreSQL, Kafka.
struct Side {
    std::string name;
    std::function<bool()> answers;  // Blocks for a few seconds at most, on a thread of its own.
};

/// Looks at the sides every few seconds. One counts as gone only when it has not answered for a
/// while: a blip takes no fleet out of service.
///
/// Stop      stop() lets the looks that are under way end, then join() returns.
/// Threads   `executor`, which must be serial, and one for each side.
class SideWatch {
public:
    static constexpr std::chrono::seconds look_every{5};
    static constexpr std::chrono::seconds grace{20};

    SideWatch(boost::asio::any_io_executor executor, const Clock& clock, std::vector<Side> sides,
              std::chrono::milliseconds every = look_every);

    void start();
    void stop();
    [[nodiscard]] boost::asio::awaitable<void> join();

    /// "" while all have answered within the grace.
    [[nodiscard]] std::string trouble() const;

private:
    struct Watched {
        Watched(Side what, SteadyTime now, const boost::asio::any_io_executor& executor)
            : side{std::move(what)}, answered{now}, timer{executor} {}
        Side side;
        SteadyTime answered;
        Timer timer;
    };

    [[nodiscard]] boost::asio::awaitable<void> watch(Watched& watched);
    [[nodiscard]] boost::asio::awaitable<bool> look(const Side& side);

    const Clock& clock_;
    std::chrono::milliseconds every_;
    std::vector<std::unique_ptr<Watched>> watched_;
    bool stopping_ = false;
    TaskGroup tasks_;
    boost::asio::thread_pool threads_;
};

}  // namespace fanfare
