#include "core/postgres/pool.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace fanfare::postgres {

namespace asio = boost::asio;

Pool::Pool(Secret url, Limits limits, std::size_t size)
    : url_{std::move(url)}, limits_{limits}, size_{size}, threads_{size} {}

Pool::~Pool() { threads_.join(); }

std::unique_ptr<Connection> Pool::open() const {
    return std::make_unique<Connection>(url_, limits_);
}

PoolLoad Pool::load() const noexcept { return {size_, in_use_, waiting_, failed_}; }

asio::awaitable<std::optional<Failure>> Pool::carry_out(std::string doing,
                                                        std::shared_ptr<Task> task) {
    auto home = co_await asio::this_coro::executor;
    auto start = [this, &home, &doing, &task](auto handler) {
        // The thread owns what it works on: the coroutine may end with its loop.
        auto on_thread = [this, doing = std::move(doing), task, handler = std::move(handler),
                          alive = asio::make_work_guard(home)]() mutable {
            --waiting_;
            auto failure = carry_out_here(std::move(doing), *task);
            task.reset();
            asio::post(alive.get_executor(),
                       [handler = std::move(handler), failure = std::move(failure)]() mutable {
                           std::move(handler)(std::move(failure));
                       });
        };
        ++waiting_;
        asio::post(threads_, std::move(on_thread));
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&,
                                            void(std::optional<Failure>)>(start,
                                                                          asio::use_awaitable);
}

std::optional<Failure> Pool::carry_out_here(std::string doing, Task& task) {
    const Use use{in_use_};
    std::unique_ptr<Connection> connection = take();
    try {
        if (!connection) connection = open();
        task.carry_out(*connection);
        give_back(std::move(connection));
        return std::nullopt;
    } catch (const std::exception& fault) {
        // The connection is not given back: after a fault nobody knows its state.
        const bool is_open = connection && connection->is_open();
        ++failed_;
        if (!is_open) forget_idle();
        return to_failure(fault, is_open, std::move(doing));
    }
}

std::unique_ptr<Connection> Pool::take() {
    std::vector<std::unique_ptr<Connection>> dead;  // Closed without the lock.
    const std::lock_guard guard{mutex_};
    while (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        // One that a restart of the server has cut costs nobody a failed call.
        if (connection->is_alive()) return connection;
        dead.push_back(std::move(connection));
    }
    return nullptr;
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
    const std::lock_guard guard{mutex_};
    idle_.push_back(std::move(connection));
}

void Pool::forget_idle() {
    std::vector<std::unique_ptr<Connection>> dead;  // Closed without the lock.
    const std::lock_guard guard{mutex_};
    dead.swap(idle_);
}

}  // namespace fanfare::postgres
