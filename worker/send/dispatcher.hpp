#pragma once

#include "core/async/task_group.hpp"
#include "core/clock/clock.hpp"
#include "core/kafka/consumer.hpp"
#include "core/ledger/chunks.hpp"

#include <boost/asio/awaitable.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {

/// A chunk to be sent, and the Kafka record that said so.
struct Descriptor {
    ledger::ChunkKey key;
    std::optional<kafka::Received> record;
};

/// What became of a descriptor that came in.
enum class Pushed : std::uint8_t {
    kept,   // With its record.
    noted,  // Without it: nothing more is to be done for the record.
    left,   // To the sweeper.
};

/// Chunks that wait for a place, by channel and lane: a slow channel never holds up another,
/// and the most urgent lane is served first.
///
/// Bounds    queue_max a channel and lane with their records; beyond that noted_max by their keys
///           alone, each for as long as the sweep leaves it to us; the sweep brings back all
///           others, so nothing is lost and memory stays flat.
/// Stop      stop() makes next() return nothing; what waits is left to the sweeper.
/// Threads   one serial executor.
class Dispatcher {
public:
    static constexpr std::size_t queue_max = 4'096;
    static constexpr std::size_t noted_max = 61'440;

    /// `swept_after`: after so long the sweep has what was published and is not claimed.
    Dispatcher(const boost::asio::any_io_executor& executor, const Clock& clock,
               std::chrono::milliseconds swept_after)
        : clock_{clock}, swept_after_{swept_after}, changed_{executor} {}

    [[nodiscard]] Pushed push(Lane lane, Descriptor descriptor);

    /// The next chunk of a channel; with `urgent_only` none but urgent ones.
    [[nodiscard]] boost::asio::awaitable<std::optional<Descriptor>> next(Channel channel,
                                                                         bool urgent_only);
    /// While held, next() gives nothing out; what comes in waits.
    void set_held(bool held);
    [[nodiscard]] bool is_held() const noexcept { return held_; }
    /// The same for one channel.
    void set_paused(Channel channel, bool paused);
    void stop();

    /// What is worth fetching: up to `least` chunks are to wait for each channel and lane, or twice
    /// as many as were given out since it was asked last. None while held.
    [[nodiscard]] std::vector<ledger::Room> rooms(std::size_t least);
    [[nodiscard]] std::size_t waiting() const noexcept;

private:
    struct Noted {
        std::shared_ptr<const std::string> job;  // Of many neighbours.
        std::int32_t number = 0;
        SteadyTime until{};
    };
    struct Queue {
        std::deque<Descriptor> kept;  // All of them before those that are noted.
        std::deque<Noted> noted;
        std::size_t given_out = 0;

        [[nodiscard]] std::size_t size() const noexcept { return kept.size() + noted.size(); }
    };
    [[nodiscard]] Queue& queue_of(Channel channel, Lane lane) noexcept {
        return queues_[static_cast<std::size_t>(channel)][static_cast<std::size_t>(lane)];
    }
    void note(Queue& queue, ledger::ChunkKey key) const;
    [[nodiscard]] std::optional<Descriptor> take(Queue& queue, Channel channel) const;

    const Clock& clock_;
    std::chrono::milliseconds swept_after_;
    std::array<std::array<Queue, lane_count>, channel_count> queues_;
    Signal changed_;
    bool held_ = false;
    std::array<bool, channel_count> paused_{};
    bool stopping_ = false;
};

}  // namespace fanfare
