#pragma once

#include "core/postgres/connection.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <vector>

namespace fanfare::postgres {

/// What a pool does just now, and how much of it failed so far.
struct PoolLoad {
    std::size_t threads = 0;
    std::size_t in_use = 0;   // Work that runs.
    std::size_t waiting = 0;  // Work that waits for a thread.
    std::uint64_t failed = 0;
};

/// A few connections, each used by one thread at a time, so that blocking libpqxx never
/// holds up the event loop.
///
///     auto rows = co_await pool.run("claim chunks", [&](Connection& c) { ... });
///
/// Bounds    `size` threads and as many connections, opened when first needed.
/// Stop      the destructor waits for what is running.
/// Threads   run(), call() and load() from any.
/// Lifetime  what `work` captures must outlive the await; run() resumes on the caller's executor.
class Pool {
public:
    Pool(Secret url, Limits limits, std::size_t size);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    /// Runs `work(Connection&)` on a thread of the pool; exceptions become a Failure and cost
    /// the connection.
    template <class Work>
    [[nodiscard]] auto run(std::string doing, Work work)
        -> boost::asio::awaitable<Result<std::invoke_result_t<Work&, Connection&>>> {
        using Value = Result<std::invoke_result_t<Work&, Connection&>>;
        auto home = co_await boost::asio::this_coro::executor;
        auto start = [this, &home, &doing, &work](auto handler) {
            auto on_thread = [this, doing = std::move(doing), work = std::move(work),
                              handler = std::move(handler),
                              alive = boost::asio::make_work_guard(home)]() mutable {
                --waiting_;
                auto value = call(std::move(doing), work);
                boost::asio::post(alive.get_executor(), [handler = std::move(handler),
                                                         value = std::move(value)]() mutable {
                    std::move(handler)(std::move(value));
                });
            };
            ++waiting_;
            boost::asio::post(threads_, std::move(on_thread));
        };
        co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&,
                                                       void(Value)>(start,
                                                                    boost::asio::use_awaitable);
    }

    /// The same on the calling thread.
    template <class Work>
    [[nodiscard]] auto call(std::string doing, Work& work)
        -> Result<std::invoke_result_t<Work&, Connection&>> {
        using Value = std::invoke_result_t<Work&, Connection&>;
        const Use use{in_use_};
        std::unique_ptr<Connection> connection = take();
        try {
            if (!connection) connection = open();
            if constexpr (std::is_void_v<Value>) {
                work(*connection);
                give_back(std::move(connection));
                return {};
            } else {
                Value value = work(*connection);
                give_back(std::move(connection));
                return Result<Value>{boost::system::in_place_value, std::move(value)};
            }
        } catch (const std::exception& fault) {
            // The connection is not given back: after a fault nobody knows its state.
            const bool is_open = connection && connection->is_open();
            ++failed_;
            if (!is_open) forget_idle();
            // The tag, because a Value may itself be a Result that a Failure converts to.
            return Result<Value>{boost::system::in_place_error,
                                 to_failure(fault, is_open, std::move(doing))};
        }
    }

    [[nodiscard]] std::unique_ptr<Connection> open() const;
    [[nodiscard]] PoolLoad load() const noexcept;

private:
    /// One piece of work, while it runs.
    class Use {
    public:
        explicit Use(std::atomic<std::size_t>& count) : count_{count} { ++count_; }
        ~Use() { --count_; }
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;

    private:
        std::atomic<std::size_t>& count_;
    };
    [[nodiscard]] std::unique_ptr<Connection> take();
    void give_back(std::unique_ptr<Connection> connection);
    /// Where one died the others likely did: none of them is worth a failed statement each.
    void forget_idle();

    Secret url_;
    Limits limits_;
    std::size_t size_;
    std::atomic<std::size_t> in_use_{0};
    std::atomic<std::size_t> waiting_{0};
    std::atomic<std::uint64_t> failed_{0};
    std::mutex mutex_;
    std::vector<std::unique_ptr<Connection>> idle_;
    boost::asio::thread_pool threads_;
};

/// For metrics: what a pool is for, and the system whose database it is; "" for the ledger.
struct NamedPool {
    std::string name, system;
    const Pool* pool = nullptr;
};

}  // namespace fanfare::postgres
