#pragma once

#include "core/postgres/connection.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
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
        const auto task = std::make_shared<TaskOf<Work>>(std::move(work));
        const auto failure = co_await carry_out(std::move(doing), task);
        co_return result_of<Work>(failure, task->value);
    }

    /// The same on the calling thread.
    template <class Work>
    [[nodiscard]] auto call(std::string doing, Work& work)
        -> Result<std::invoke_result_t<Work&, Connection&>> {
        TaskOf<Work&> task{work};
        const auto failure = carry_out_here(std::move(doing), task);
        return result_of<Work&>(failure, task.value);
    }

    [[nodiscard]] std::unique_ptr<Connection> open() const;
    [[nodiscard]] PoolLoad load() const noexcept;

private:
    /// What is to be done with a connection. Whoever runs it need not know what comes of it: the
    /// code of a hand-over to a thread is there once, not for each statement.
    struct Task {
        Task() = default;
        Task(const Task&) = delete;
        Task& operator=(const Task&) = delete;
        virtual ~Task() = default;
        virtual void carry_out(Connection& connection) = 0;
    };
    template <class Work>
    struct TaskOf final : Task {
        using Value = std::invoke_result_t<Work&, Connection&>;
        explicit TaskOf(Work&& given) : work{std::forward<Work>(given)} {}
        void carry_out(Connection& connection) override {
            if constexpr (std::is_void_v<Value>) {
                work(connection);
            } else {
                value.emplace(work(connection));
            }
        }
        Work work;
        std::optional<std::conditional_t<std::is_void_v<Value>, std::monostate, Value>> value;
    };
    template <class Work>
    [[nodiscard]] static auto result_of(const std::optional<Failure>& failure,
                                        decltype(TaskOf<Work>::value)& value)
        -> Result<typename TaskOf<Work>::Value> {
        using Value = typename TaskOf<Work>::Value;
        // The tags, because a Value may itself be a Result that a Failure converts to.
        if (failure) return Result<Value>{boost::system::in_place_error, *failure};
        if constexpr (std::is_void_v<Value>) {
            return {};
        } else {
            return Result<Value>{boost::system::in_place_value, std::move(*value)};
        }
    }
    [[nodiscard]] boost::asio::awaitable<std::optional<Failure>> carry_out(
        std::string doing, std::shared_ptr<Task> task);
    [[nodiscard]] std::optional<Failure> carry_out_here(std::string doing, Task& task);

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
