#include "worker/send/dispatcher.hpp"

#include <algorithm>
#include <utility>

namespace fanfare {

namespace asio = boost::asio;

Pushed Dispatcher::push(Lane lane, Descriptor descriptor) {
    auto& queue = queue_of(descriptor.key.channel, lane);
    if (stopping_ || queue.noted.size() >= noted_max) return Pushed::left;
    const bool is_kept = queue.noted.empty() && queue.kept.size() < queue_max;
    if (is_kept) {
        queue.kept.push_back(std::move(descriptor));
    } else {
        note(queue, std::move(descriptor.key));
    }
    changed_.notify();
    return is_kept ? Pushed::kept : Pushed::noted;
}

void Dispatcher::note(Queue& queue, ledger::ChunkKey key) const {
    const bool is_neighbour = !queue.noted.empty() && *queue.noted.back().job == key.job;
    auto job = is_neighbour ? queue.noted.back().job
                            : std::make_shared<const std::string>(std::move(key.job));
    queue.noted.push_back({std::move(job), key.number, clock_.steady_now() + swept_after_});
}

/// Nothing where all that is left has become the sweep's.
std::optional<Descriptor> Dispatcher::take(Queue& queue, Channel channel) const {
    if (!queue.kept.empty()) {
        auto descriptor = std::move(queue.kept.front());
        queue.kept.pop_front();
        return descriptor;
    }
    while (!queue.noted.empty()) {
        const auto first = std::move(queue.noted.front());
        queue.noted.pop_front();
        if (clock_.steady_now() < first.until) {
            return Descriptor{{*first.job, channel, first.number}, std::nullopt};
        }
    }
    return std::nullopt;
}

asio::awaitable<std::optional<Descriptor>> Dispatcher::next(Channel channel, bool urgent_only) {
    while (!stopping_) {
        const bool is_paused = paused_[static_cast<std::size_t>(channel)];
        for (const auto lane : lanes) {
            if (held_ || is_paused || (urgent_only && lane != Lane::urgent)) break;
            auto& queue = queue_of(channel, lane);
            auto descriptor = take(queue, channel);
            if (!descriptor) continue;
            ++queue.given_out;
            co_return descriptor;
        }
        co_await changed_.wait();
    }
    co_return std::nullopt;
}

void Dispatcher::set_held(bool held) {
    held_ = held;
    if (!held) changed_.notify();
}

void Dispatcher::set_paused(Channel channel, bool paused) {
    paused_[static_cast<std::size_t>(channel)] = paused;
    if (!paused) changed_.notify();
}

void Dispatcher::stop() {
    stopping_ = true;
    changed_.notify();
}

std::vector<ledger::Room> Dispatcher::rooms(std::size_t least) {
    std::vector<ledger::Room> rooms;
    if (held_ || stopping_) return rooms;
    for (const auto channel : channels) {
        if (paused_[static_cast<std::size_t>(channel)]) continue;
        for (const auto lane : lanes) {
            auto& queue = queue_of(channel, lane);
            const auto given_out = std::exchange(queue.given_out, 0);
            const auto up_to = std::max(least, std::min(2 * given_out, queue_max));
            if (queue.size() >= up_to) continue;
            rooms.push_back({channel, lane, static_cast<std::int64_t>(up_to - queue.size())});
        }
    }
    return rooms;
}

std::size_t Dispatcher::waiting() const noexcept {
    std::size_t count = 0;
    for (const auto& by_lane : queues_) {
        for (const auto& queue : by_lane) count += queue.size();
    }
    return count;
}

}  // namespace fanfare
