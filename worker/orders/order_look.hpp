#pragma once

#include "core/clock/clock.hpp"
#include "core/postgres/pool.hpp"
#include "worker/orders/order_rules.hpp"

#include <boost/asio/awaitable.hpp>

#include <map>
#include <optional>
#include <string>

namespace fanfare {

/// Asks systems' databases about jobs before they are taken. What nobody can tell now is taken: the
/// planner asks again, as long as it takes.
///
/// Bounds    two questions at a time of each system: jobs beyond are taken unasked. A database that
///           did not answer is not asked again for `rest`.
/// Threads   one serial executor.
/// Lifetime  the clock outlives it.
class OrderLook {
public:
    static constexpr std::chrono::seconds rest{30};

    explicit OrderLook(const Clock& clock) : clock_{clock} {}

    /// check_order(); nothing where the job may be taken. What `telling` refers to outlives the
    /// wait.
    [[nodiscard]] boost::asio::awaitable<std::optional<Rejection>> ask(postgres::Pool& source,
                                                                       Telling telling);

private:
    const Clock& clock_;
    std::map<std::string, Moment, std::less<>> resting_;  // By system: until then.
    std::map<std::string, int, std::less<>> under_way_;   // By system.
};

}  // namespace fanfare
