#pragma once

#include "worker/send/account.hpp"
#include "worker/send/desk.hpp"
#include "worker/send/work.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

namespace fanfare {

/// Writes a mark, and waits until the ledger has it.
using Marker = std::function<boost::asio::awaitable<Marked>(ledger::ChunkMark)>;

/// Sends all letters of one chunk in waves: permits, slots, mark, requests; reads the answers into
/// fates.
///
///   waiting -> boarding (permit, slot) -> mark in the ledger -> begun in its slot -> landed
///
/// Before a request begins, the ledger has answered that it knows who is in it, and with that
/// everything that is known by then. So whoever takes the chunk over from a dead worker knows of
/// whom nobody can know; and where the ledger is away, or the chunk is no longer ours, or its job
/// was cancelled, or an operator has paused it, nothing more is begun.
///
/// Every request is sent at most once here, and none is begun that could outlast the lease.
/// What was not begun stays pending.
///
/// Bounds    the account's permits in flight and in marks.
/// Threads   one serial executor.
/// Lifetime  lives until fly() returned; account, work and marker outlive it.
class Flight {
public:
    Flight(const boost::asio::any_io_executor& executor, Account& account, Work& work,
           const Clock& clock, const Marker& mark);

    [[nodiscard]] boost::asio::awaitable<void> fly();

private:
    struct Seat {
        Letter* letter;
        Moment slot;
    };
    using Wave = std::vector<Seat>;

    [[nodiscard]] boost::asio::awaitable<void> renew();
    [[nodiscard]] boost::asio::awaitable<void> board();
    [[nodiscard]] boost::asio::awaitable<void> choose(std::size_t permits, Wave& wave);
    [[nodiscard]] boost::asio::awaitable<void> mark(const Wave& wave);
    [[nodiscard]] boost::asio::awaitable<void> depart();
    [[nodiscard]] Letter* next_letter();
    void seat(Letter& letter, Moment slot, Wave& wave);
    void leave(Letter& letter);
    void leave_rest();
    void begin(Letter& letter);

    void landed(Letter& letter, const HttpAnswer& answer);
    void apply(const Letter& letter, const BatchAnswer& answer);
    void apply_one(const Letter& letter, std::uint32_t index, Verdict verdict, Reason reason,
                   const std::string& provider_id);
    void split(const Letter& letter);
    void send_rest(const Letter& letter, const BatchAnswer& answer);
    [[nodiscard]] Letter* part_of(const Letter& letter, std::uint32_t first, std::uint32_t count);
    void count_begun(const Letter& letter, int change);
    void keep_open();
    [[nodiscard]] bool is_busy() const;
    [[nodiscard]] bool may_begin() const;
    [[nodiscard]] Moment latest() const;
    void compose(Letter& letter) const;

    Account& account_;
    Work& work_;
    const Clock& clock_;
    const Marker& mark_;
    Signal changed_;
    TaskGroup tasks_;
    std::uint64_t arrival_;
    std::deque<Letter*> waiting_;
    std::deque<Seat> marked_;
    std::deque<Letter> parts_;            // Letters made of others; addresses are stable.
    std::vector<Letter*> stale_;          // Refused for a stale token: once more with a new one.
    std::vector<const Letter*> untried_;  // Never begun, or refused unread.
    std::vector<std::uint16_t> begun_;    // Devices of each person in requests under way ...
    std::vector<std::uint16_t> open_to_;  // ... and all of whom nothing is known yet.
    bool renewed_ = false;
    bool boarding_ = false;
    bool ended_ = false;  // The ledger said so: nothing more is begun.
    std::size_t open_ = 0;
};

}  // namespace fanfare
