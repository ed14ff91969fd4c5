#include "worker/sweep/write_backs.hpp"

#include "core/async/task_group.hpp"
#include "core/clock/timer.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr int jobs_per_round_max = 100;

}  // namespace

asio::awaitable<void> WriteBacks::run() {
    if (!listeners_.are_any()) co_return;
    while (!stopping_) {
        co_await round();
        co_await pause_to_beat(settings_.sweep_interval);
    }
}

asio::awaitable<void> WriteBacks::round() {
    const auto taken = co_await store_.take(jobs_per_round_max, settings_.lease);
    if (!taken) {
        spdlog::warn("{}", describe(taken.error()));
        co_return;
    }
    std::vector<std::string> told;
    std::vector<std::string> untold;
    bool reachable = true;  // The others of this round wait when a database is away.
    for (const auto& done : taken.value()) {
        if (!reachable || stopping_) {
            untold.push_back(done.id);
            continue;
        }
        const auto heard = co_await listeners_.tell(done);
        if (heard) {
            told.push_back(done.id);
            continue;
        }
        untold.push_back(done.id);
        reachable = !is_retryable(heard.error().code);
        spdlog::warn("job {}: {}; it is done all the same, and this is tried again", done.id,
                     describe(heard.error()));
    }
    co_await note(std::move(told), std::move(untold));
}

asio::awaitable<void> WriteBacks::note(std::vector<std::string> told,
                                       std::vector<std::string> untold) {
    if (told.empty() && untold.empty()) co_return;
    const auto noted = co_await store_.note(told, untold);
    if (!noted) spdlog::warn("{}; it is written back again", describe(noted.error()));
}

}  // namespace fanfare
