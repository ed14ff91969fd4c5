#include "core/observe/sides.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <tuple>

namespace fanfare {

namespace asio = boost::asio;
using asio::use_awaitable;

SideWatch::SideWatch(asio::any_io_executor executor, const Clock& clock, std::vector<Side> sides,
                     std::chrono::milliseconds every)
    : clock_{clock},
      every_{every},
      tasks_{executor},
      threads_{std::max<std::size_t>(sides.size(), 1)} {
    for (auto& side : sides) {
        watched_.push_back(
            std::make_unique<Watched>(std::move(side), clock.steady_now(), executor));
    }
}

void SideWatch::start() {
    for (const auto& watched : watched_) tasks_.spawn(watch(*watched));
}

void SideWatch::stop() {
    stopping_ = true;
    for (const auto& watched : watched_) watched->timer.cancel();
}

asio::awaitable<void> SideWatch::join() { co_await tasks_.join(); }

std::string SideWatch::trouble() const {
    for (const auto& watched : watched_) {
        const auto silent = clock_.steady_now() - watched->answered;
        if (silent <= grace) continue;
        const auto seconds = std::chrono::floor<std::chrono::seconds>(silent).count();
        return fmt::format("{} has not answered for {} s", watched->side.name, seconds);
    }
    return {};
}

asio::awaitable<void> SideWatch::watch(Watched& watched) {
    bool well = true;
    while (!stopping_) {
        const bool answers = co_await look(watched.side);
        if (answers) watched.answered = clock_.steady_now();
        if (answers != well && !stopping_) {
            spdlog::warn("{} {}", watched.side.name, answers ? "answers again" : "does not answer");
        }
        well = answers;
        if (stopping_) break;
        std::ignore = co_await watched.timer.wait(every_);
    }
}

asio::awaitable<bool> SideWatch::look(const Side& side) {
    auto home = co_await asio::this_coro::executor;
    auto start = [this, &home, &side](auto handler) {
        auto on_thread = [&side, handler = std::move(handler),
                          alive = asio::make_work_guard(home)]() mutable {
            const bool answers = side.answers();
            asio::post(alive.get_executor(), [handler = std::move(handler), answers]() mutable {
                std::move(handler)(answers);
            });
        };
        asio::post(threads_, std::move(on_thread));
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(bool)>(
        start, use_awaitable);
}

}  // namespace fanfare
