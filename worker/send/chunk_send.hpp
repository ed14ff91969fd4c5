#pragma once

#include "worker/send/account.hpp"
#include "worker/send/chunk_batcher.hpp"
#include "worker/send/claim.hpp"
#include "worker/send/pass.hpp"
#include "worker/send/pauses.hpp"
#include "worker/send/recipients.hpp"
#include "worker/send/settle.hpp"
#include "worker/send/spans.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

namespace fanfare {

/// Writes a mark, and waits until the ledger has it.
using Marker = std::function<boost::asio::awaitable<Marked>(ledger::ChunkMark)>;

/// Until when a request of a claim may begin, so that it cannot outlast the lease.
[[nodiscard]] SteadyTime latest_begin(const Claim& claim, const Account& account);

/// Sends all requests of one chunk in waves: permits, slots, mark, requests; reads the answers into
/// fates.
///
///   waiting -> boarding (permit, slot) -> mark in the ledger -> begun in its slot -> answered
///
/// Before a request begins, the ledger has answered that it knows who is in it, and with that
/// everything that is known by then. So whoever takes the chunk over from a dead worker knows of
/// whom nobody can know; and where the ledger is away, or the chunk is no longer ours, or its job
/// was cancelled, or an operator has paused it, nothing more is begun.
///
/// Every request is sent at most once here, and none is begun that could outlast the lease.
/// What was not begun stays pending.
///
/// Bounds    the account's permits, in flight and in marks.
/// Threads   one serial executor.
/// Lifetime  lives until run() returned; everything that it is given outlives it.
class ChunkSend {
public:
    struct Parts {
        boost::asio::any_io_executor executor;
        Account& account;
        const Clock& clock;
        const Pauses& pauses;
        const Marker& mark;
        const ChunkSpan& span;
    };
    ChunkSend(Parts parts, const Claim& claim, Recipients& people, Pass& pass);

    [[nodiscard]] boost::asio::awaitable<void> run();

private:
    struct WaveEntry {
        ComposedRequest* composed;
        SteadyTime slot;
        SteadyTime marked_at;  // When the ledger had answered.
    };
    using Wave = std::vector<WaveEntry>;

    [[nodiscard]] boost::asio::awaitable<void> renew();
    [[nodiscard]] boost::asio::awaitable<void> board();
    [[nodiscard]] boost::asio::awaitable<void> choose(std::size_t permits, Wave& wave);
    [[nodiscard]] boost::asio::awaitable<void> mark(const Wave& wave);
    [[nodiscard]] boost::asio::awaitable<void> begin_next();
    [[nodiscard]] ComposedRequest* next_request();
    void add_to_wave(ComposedRequest& composed, SteadyTime slot, Wave& wave);
    void leave(ComposedRequest& composed);
    void take_back(const ComposedRequest& composed);
    void leave_rest();
    void begin(ComposedRequest& composed);

    void on_answer(ComposedRequest& composed, const HttpAnswer& answer);
    void apply(const ComposedRequest& composed, BatchAnswer answer);
    void apply_one(const ComposedRequest& composed, std::uint32_t index, Verdict verdict,
                   Reason reason, std::string provider_id);
    void split(const ComposedRequest& composed);
    void send_rest(const ComposedRequest& composed, BatchAnswer answer);
    [[nodiscard]] ComposedRequest* find_part(const ComposedRequest& composed, std::uint32_t first,
                                             std::uint32_t count);
    void count_begun(const ComposedRequest& composed, int change);
    void keep_open();
    [[nodiscard]] bool is_busy() const;
    [[nodiscard]] bool may_begin() const;
    [[nodiscard]] SteadyTime latest() const;
    void compose(ComposedRequest& composed) const;

    Parts parts_;
    Account& account_;
    const Claim& claim_;
    Recipients& people_;
    Pass& pass_;
    Signal changed_;
    TaskGroup tasks_;
    Boarding::Chunk aboard_;
    std::deque<ComposedRequest*> waiting_;
    std::deque<WaveEntry> marked_;
    std::deque<ComposedRequest> pieces_;   // Requests made of others; addresses are stable.
    std::vector<ComposedRequest*> stale_;  // Refused for a stale token: once more with a new one.
    std::vector<const ComposedRequest*> untried_;  // Never begun, or refused unread.
    DeviceCounts devices_;
    bool renewed_ = false;
    bool boarding_ = false;
    std::size_t open_ = 0;
};

}  // namespace fanfare
