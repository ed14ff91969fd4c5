#pragma once

#include "core/async/task_group.hpp"
#include "core/clock/clock.hpp"
#include "core/orders/order_rules.hpp"
#include "core/orders/recent_answers.hpp"
#include "core/postgres/pool.hpp"

#include <boost/asio/awaitable.hpp>

#include <map>
#include <optional>
#include <string>

namespace fanfare {

/// Asks systems' databases about jobs before they are taken. What nobody can tell now is taken: the
/// planner asks again, as long as it takes.
///
/// Bounds    two questions at a time of each system; others wait for their turn, for the patience
///           of who asks and one question at most. A database that did not answer, or took
///           longer than `slow`, is not asked again for `rest`, and nobody waits for it: a system
///           keeps others' orders back for two questions at most.
/// Threads   one serial executor.
/// Lifetime  the clock outlives it; it outlives whoever asks.
class OrderLook {
public:
    static constexpr std::chrono::seconds of_a_caller{5};   // Who waits for an answer.
    static constexpr std::chrono::seconds of_a_record{60};  // For which nobody waits.
    static constexpr std::chrono::seconds slow{5};
    static constexpr std::chrono::seconds rest{30};

    OrderLook(const Clock& clock, std::chrono::seconds patience)
        : clock_{clock}, patience_{patience}, recent_{clock} {}

    /// check_order(); nothing where the job may be taken. `told`, where given, is set when the
    /// database has said that it may. What `telling` and `told` refer to outlives the wait.
    [[nodiscard]] boost::asio::awaitable<std::optional<Rejection>> ask(postgres::Pool& source,
                                                                       Telling telling,
                                                                       bool* told = nullptr);

private:
    /// Those who ask about one system.
    struct Line {
        explicit Line(const boost::asio::any_io_executor& executor) : moved{executor} {}
        int under_way = 0;
        std::optional<SteadyTime> resting_until;
        Signal moved;  // A question has ended.
    };

    [[nodiscard]] bool is_resting(const Line& line) const;

    const Clock& clock_;
    std::chrono::seconds patience_;
    RecentAnswers recent_;
    std::map<std::string, Line, std::less<>> lines_;  // By system.
};

}  // namespace fanfare
