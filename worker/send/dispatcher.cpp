#include "worker/send/dispatcher.hpp"

namespace fanfare {

namespace asio = boost::asio;

bool Dispatcher::push(Lane lane, Descriptor descriptor) {
    auto& queue =
        queues_[static_cast<std::size_t>(descriptor.key.channel)][static_cast<std::size_t>(lane)];
    if (stopping_ || queue.size() >= queue_max) return false;
    queue.push_back(std::move(descriptor));
    changed_.notify();
    return true;
}

asio::awaitable<std::optional<Descriptor>> Dispatcher::next(Channel channel, bool urgent_only) {
    auto& by_lane = queues_[static_cast<std::size_t>(channel)];
    while (!stopping_) {
        const bool is_paused = paused_[static_cast<std::size_t>(channel)];
        for (const auto lane : lanes) {
            if (held_ || is_paused || (urgent_only && lane != Lane::urgent)) break;
            auto& queue = by_lane[static_cast<std::size_t>(lane)];
            if (queue.empty()) continue;
            auto descriptor = std::move(queue.front());
            queue.pop_front();
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

std::vector<ledger::Room> Dispatcher::rooms(std::size_t up_to) const {
    std::vector<ledger::Room> rooms;
    if (held_ || stopping_) return rooms;
    for (const auto channel : channels) {
        if (paused_[static_cast<std::size_t>(channel)]) continue;
        for (const auto lane : lanes) {
            const auto waiting =
                queues_[static_cast<std::size_t>(channel)][static_cast<std::size_t>(lane)].size();
            if (waiting >= up_to) continue;
            rooms.push_back({channel, lane, static_cast<std::int64_t>(up_to - waiting)});
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
