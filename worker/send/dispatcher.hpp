#pragma once

#include "core/async/task_group.hpp"
#include "core/kafka/consumer.hpp"
#include "core/ledger/chunks.hpp"

#include <boost/asio/awaitable.hpp>

#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

namespace fanfare {

/// A chunk to be sent, and the Kafka record that said so.
struct Descriptor {
    ledger::ChunkKey key;
    std::optional<kafka::Received> record;
};

/// Chunks that wait for a place, by channel and lane: a slow channel never holds up another,
/// and the most urgent lane is served first.
///
/// Bounds    queue_max a channel and lane. Beyond that push() refuses; the sweeper brings
///           the chunk back later, so nothing is lost and memory stays flat.
/// Stop      stop() makes next() return nothing; what waits is left to the sweeper.
/// Threads   one serial executor.
class Dispatcher {
public:
    static constexpr std::size_t queue_max = 4'096;

    explicit Dispatcher(const boost::asio::any_io_executor& executor) : changed_{executor} {}

    [[nodiscard]] bool push(Lane lane, Descriptor descriptor);

    /// The next chunk of a channel; with `urgent_only` none but urgent ones.
    [[nodiscard]] boost::asio::awaitable<std::optional<Descriptor>> next(Channel channel,
                                                                         bool urgent_only);
    /// While held, next() gives nothing out; what comes in waits.
    void set_held(bool held);
    [[nodiscard]] bool is_held() const noexcept { return held_; }
    /// The same for one channel.
    void set_paused(Channel channel, bool paused);
    void stop();

    /// What is worth fetching: up to so many chunks are to wait for each channel and lane. None
    /// while held.
    [[nodiscard]] std::vector<ledger::Room> rooms(std::size_t up_to) const;
    [[nodiscard]] std::size_t waiting() const noexcept;

private:
    std::array<std::array<std::deque<Descriptor>, lane_count>, channel_count> queues_;
    Signal changed_;
    bool held_ = false;
    std::array<bool, channel_count> paused_{};
    bool stopping_ = false;
};

}  // namespace fanfare
