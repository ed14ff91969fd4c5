#pragma once

#include "core/async/task_group.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace fanfare {

/// How many people one channel's lanes have in hand: as many as are in `chunks` chunks of full
/// size. How large a chunk is shows only when it is claimed, so a lane takes the room of the
/// largest of the last few, of a full one at first, and then keeps what its own needs: small chunks
/// are claimed and sent by many lanes at once.
///
/// Bounds    a chunk that is larger than was to be expected has its room all the same, so up to
///           unknown_max full chunks may be in hand beyond that, once: the next are expected so.
/// Threads   one serial executor.
class LaneRoom {
public:
    static constexpr std::int64_t unknown_max = 16;
    LaneRoom(const boost::asio::any_io_executor& executor, std::uint32_t full_size,
             std::uint32_t chunks)
        : changed_{executor},
          full_size_{full_size},
          free_{static_cast<std::int64_t>(full_size) * chunks} {
        latest_.fill(full_size);
    }

    /// A lane's part of it, as long as it lives.
    class Place {
    public:
        explicit Place(LaneRoom& room) : room_{&room}, people_{room.expected()} {
            room.free_ -= people_;
            ++room.unknown_;
        }
        Place(Place&& other) noexcept
            : room_{std::exchange(other.room_, nullptr)},
              people_{other.people_},
              is_known_{other.is_known_} {}
        Place& operator=(Place&& other) noexcept {
            std::swap(room_, other.room_);
            std::swap(people_, other.people_);
            std::swap(is_known_, other.is_known_);
            return *this;
        }
        ~Place() {
            if (room_ == nullptr) return;
            know();
            take(0);
        }
        /// The chunk needs room for so many people; never more than a full one's.
        void keep(std::size_t people) {
            const auto needed = std::min(static_cast<std::int64_t>(people), room_->full_size_);
            know();
            room_->latest_[room_->next_++ % room_->latest_.size()] = needed;
            take(needed);
        }

    private:
        void know() {
            if (!is_known_) --room_->unknown_;
            is_known_ = true;
        }
        void take(std::int64_t people) {
            room_->free_ += people_ - people;
            people_ = people;
            room_->changed_.notify();
        }

        LaneRoom* room_;
        std::int64_t people_;
        bool is_known_ = false;
    };

    /// Waits until there is room for a chunk as it is to be expected.
    [[nodiscard]] boost::asio::awaitable<Place> enter() {
        while (!has_room()) co_await changed_.wait();
        co_return Place{*this};
    }
    [[nodiscard]] std::int64_t free() const noexcept { return free_; }

private:
    [[nodiscard]] std::int64_t expected() const {
        return *std::max_element(latest_.begin(), latest_.end());
    }
    [[nodiscard]] bool has_room() const {
        const auto people = expected();
        return free_ >= people && (people == full_size_ || unknown_ < unknown_max);
    }

    Signal changed_;
    std::int64_t full_size_;
    std::int64_t free_;
    std::int64_t unknown_ = 0;               // Places whose chunk is not claimed yet.
    std::array<std::int64_t, 16> latest_{};  // What chunks needed; the oldest is replaced.
    std::size_t next_ = 0;
};

}  // namespace fanfare
