#pragma once

#include "core/async/task_group.hpp"
#include "core/clock/clock.hpp"
#include "core/clock/timer.hpp"
#include "worker/send/breaker.hpp"
#include "worker/send/permits.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

namespace fanfare {

/// Gives the permits of one account to the chunks that have requests to send, a wave at a time.
///
/// Before a request begins, the ledger has to know who is in it (ChunkSend). While the marks of one
/// wave are written, permits that come back are kept together for the next: many requests share a
/// statement, and nobody is marked who has no permit. The first permit that comes back after that
/// would go alone and cost a statement for one request: where more are wished for than there are,
/// it waits for others, half as long as the last wave took at most, and never for urgent chunks.
/// The chunk that came first is served first until all of it has begun, urgent ones before all
/// others: what is known of a chunk is written with its next mark, so that turn by turn much would
/// be known of many chunks and not written. Of an account that is not proven one chunk at a time
/// gets one. Nobody is marked for a chunk beyond as many as may be in flight at once, whatever is
/// marked ahead for others: so many of a chunk are in doubt at most when its worker dies.
///
/// Who is marked departs when fewer are in flight than may be: in turn, one of each chunk at a
/// time, urgent ones before all others.
///
/// Bounds    as many requests as Permits, as many people as Breaker say.
/// Threads   one serial executor.
class Boarding {
public:
    static constexpr std::chrono::milliseconds wait_max{10};
    struct Parts {
        boost::asio::any_io_executor executor;
        Permits& permits;
        Breaker& breaker;
        const Clock& clock;
        std::function<bool()> is_shut;  // Nothing begins for a while: nobody waits for a turn.
    };
    explicit Boarding(Parts parts) : parts_{std::move(parts)} {}

    /// A chunk that has come; it wishes in several turns, and stays where it is meanwhile.
    struct Chunk {
        std::uint64_t arrival = 0;
        bool urgent = false;
        std::size_t permits = 0;  // That it holds.
    };
    [[nodiscard]] Chunk arrive(bool urgent) noexcept { return {++arrivals_, urgent}; }

    struct Wish {
        std::size_t requests = 1;
        SteadyTime latest{};  // A request has to begin before.
    };
    /// Waits for a turn and takes permits for at least one request and at most as many as are
    /// wished for; 0: none can begin in time. After it follows settled().
    [[nodiscard]] boost::asio::awaitable<std::size_t> board(Chunk& chunk, Wish wish);

    /// The wave of one turn is marked, or there is none.
    void settled();

    /// A permit of a turn is not needed.
    void give_back(Chunk& chunk);

    /// Waits until a request that has its permit may begin; then it counts as begun. False where
    /// nothing begins for a while.
    [[nodiscard]] boost::asio::awaitable<bool> depart(const Chunk& chunk);
    /// One that has departed does not begin after all.
    void take_back(Chunk& chunk);
    /// One that has begun is over. look_again() when its answer is read.
    void end(Chunk& chunk);

    /// The account may have become usable or unusable: whoever waits looks again.
    void look_again();

private:
    struct Waiter {
        Chunk& chunk;
        Wish wish;
        Timer called;
        bool answered = false;
        std::size_t granted = 0;
        SteadyTime::duration look_in{};  // It is to look again then.
    };
    struct Departure {
        Signal called;
        bool urgent = false;
        std::optional<bool> may_begin{};
    };
    [[nodiscard]] std::size_t wished_by(const Waiter& waiter) const noexcept;
    [[nodiscard]] Waiter* next_in_turn() const noexcept;
    [[nodiscard]] SteadyTime::duration wait_for_others(SteadyTime now);
    void let_depart(bool shut);
    void answer(Waiter& waiter, std::size_t granted);

    Parts parts_;
    std::deque<Waiter*> queue_;
    std::deque<Departure*> departures_;
    std::size_t turns_ = 0;  // Under way.
    std::uint64_t arrivals_ = 0;
    SteadyTime wave_began_{};
    bool is_wave_ = false;                  // Somebody of it has permits.
    SteadyTime::duration wave_took_{};      // The last one.
    std::optional<SteadyTime> free_since_;  // Permits that wait for others.
    bool is_awaited_ = false;               // Somebody looks again then.
};

}  // namespace fanfare
