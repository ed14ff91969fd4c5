#pragma once

#include "core/async/task_group.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace fanfare {

/// How many people one channel's lanes have in hand: as many as are in `chunks` chunks of full
/// size. How large a chunk is shows only when it is claimed, so a lane takes the room of a full one
/// and gives back what its chunk does not need: small chunks are sent by many lanes at once.
///
/// Threads   one serial executor.
class LaneRoom {
public:
    LaneRoom(const boost::asio::any_io_executor& executor, std::uint32_t full_size,
             std::uint32_t chunks)
        : changed_{executor},
          full_size_{full_size},
          free_{static_cast<std::int64_t>(full_size) * chunks} {}

    /// A lane's part of it, as long as it lives.
    class Place {
    public:
        explicit Place(LaneRoom& room) : room_{&room}, people_{room.full_size_} {
            room.free_ -= people_;
        }
        Place(Place&& other) noexcept
            : room_{std::exchange(other.room_, nullptr)}, people_{other.people_} {}
        Place& operator=(Place&& other) noexcept {
            std::swap(room_, other.room_);
            std::swap(people_, other.people_);
            return *this;
        }
        ~Place() {
            if (room_ != nullptr) keep(0);
        }
        /// The chunk needs room for so many people; never more than a full one's.
        void keep(std::size_t people) {
            const auto needed = std::min(static_cast<std::int64_t>(people), room_->full_size_);
            room_->free_ += people_ - needed;
            people_ = needed;
            room_->changed_.notify();
        }

    private:
        LaneRoom* room_;
        std::int64_t people_;
    };

    /// Waits until there is room for a full chunk.
    [[nodiscard]] boost::asio::awaitable<Place> enter() {
        while (free_ < full_size_) co_await changed_.wait();
        co_return Place{*this};
    }
    [[nodiscard]] std::int64_t free() const noexcept { return free_; }

private:
    Signal changed_;
    std::int64_t full_size_;
    std::int64_t free_;
};

}  // namespace fanfare
