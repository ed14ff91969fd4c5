#pragma once

#include "core/clock/clock.hpp"
#include "core/clock/timer.hpp"
#include "producer/http/exchange.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace fanfare::console {

/// How fast something gets on, over the last ten seconds that were looked at.
///
/// Bounds    one sample for each look of those seconds.
/// Threads   one.
class Pace {
public:
    void sample(SteadyTime now, std::int64_t done);
    /// Nothing before the second sample.
    [[nodiscard]] std::optional<double> per_second() const;

private:
    std::deque<std::pair<SteadyTime, std::int64_t>> samples_;
};

/// The places of streams of live numbers: so many at once, and all of them end with close().
///
/// Threads   one.
class LiveSlots {
public:
    /// Is free again when it goes.
    class Slot {
    public:
        explicit Slot(LiveSlots& slots) : slots_{slots} {}
        ~Slot() { --slots_.taken_; }
        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;

    private:
        LiveSlots& slots_;
    };

    explicit LiveSlots(std::size_t most) : most_{most} {}

    /// Nothing while all are taken, and after close().
    [[nodiscard]] std::shared_ptr<Slot> take();
    /// Lets time pass; false once it is closed.
    [[nodiscard]] boost::asio::awaitable<bool> pause(std::chrono::milliseconds duration);
    void close();

private:
    std::size_t most_;
    std::size_t taken_ = 0;
    bool closed_ = false;
    std::set<Timer*> waiting_;
};

/// A part of a page as it is now; nothing where that cannot be told now.
using Draw = std::function<boost::asio::awaitable<std::optional<std::string>>()>;

/// Server-sent events: what `draw` gives, each time it differs, every two seconds for ten minutes.
/// 503 where no slot is free.
[[nodiscard]] HttpReply live_reply(LiveSlots& slots, Draw draw);

}  // namespace fanfare::console
