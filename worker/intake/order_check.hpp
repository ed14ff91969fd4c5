#pragma once

#include "core/orders/order_look.hpp"
#include "worker/send/job_context.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>

namespace fanfare {

/// What only the database of a job's system knows of it.
///
/// Threads   one serial executor, on which the answers come as well.
/// Lifetime  what is passed, and what it refers to, outlives the await.
class OrderCheck {
public:
    virtual ~OrderCheck() = default;
    /// As OrderLook::ask(): nothing where the job may be taken, or nobody can tell now.
    [[nodiscard]] virtual boost::asio::awaitable<std::optional<Rejection>> ask(
        const Telling& telling, bool* told) = 0;
};

/// The systems' databases.
///
/// Lifetime  what it is given outlives it.
class DatabaseOrderCheck final : public OrderCheck {
public:
    DatabaseOrderCheck(JobContexts& job_contexts, const Clock& clock)
        : job_contexts_{job_contexts}, look_{clock, OrderLook::of_a_record} {}
    [[nodiscard]] boost::asio::awaitable<std::optional<Rejection>> ask(const Telling& telling,
                                                                       bool* told) override {
        return look_.ask(job_contexts_.find_pool(telling.system), telling, told);
    }

private:
    JobContexts& job_contexts_;
    OrderLook look_;
};

}  // namespace fanfare
