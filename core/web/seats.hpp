#pragma once

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace fanfare {

/// One who connects, as far as shares go: an address, or, of IPv6, the network of 64 bits that
/// one subscriber has.
[[nodiscard]] std::string to_peer(const boost::asio::ip::address& address);

/// Who may have a connection of a server. Where all seats are taken, whoever has been quiet longest
/// makes room, so that idle connections keep nobody out; where a peer has all of its share, one
/// of its own. Whoever is being served stays.
///
/// Threads   one.
class Seats {
public:
    struct Bounds {
        std::size_t all = 1;
        std::size_t a_peer = 0;  // 0: as many as there are.
    };

    /// One connection's. Given back when it goes.
    class Seat {
    public:
        ~Seat();
        Seat(const Seat&) = delete;
        Seat& operator=(const Seat&) = delete;

        /// A request arrives: not between two any more, and quiet as long as before.
        void hear() noexcept { state_ = State::hearing; }
        /// It is served: nobody's room.
        void serve() noexcept { state_ = State::serving; }
        /// It only waits, as it did between requests.
        void wait() noexcept { state_ = State::idle; }
        /// Between requests, from now on.
        void rest() noexcept;

    private:
        friend class Seats;
        enum class State : std::uint8_t { idle, hearing, serving };
        Seat(Seats& seats, std::string peer, std::function<void()> cut)
            : seats_{seats}, peer_{std::move(peer)}, cut_{std::move(cut)} {}

        Seats& seats_;
        std::string peer_;
        std::function<void()> cut_;
        State state_ = State::idle;
        std::uint64_t quiet_since_ = 0;
    };

    explicit Seats(Bounds bounds) : bounds_{bounds} {}

    /// A seat, for which another connection may have been cut by its `cut`. Nothing: there is no
    /// room. Seats outlive their Seat.
    [[nodiscard]] std::unique_ptr<Seat> take(std::string peer, std::function<void()> cut);

    void cut_idle();
    void cut_all();

    [[nodiscard]] std::size_t taken() const noexcept { return seats_.size(); }
    /// How many were cut so that others had room.
    [[nodiscard]] std::uint64_t made_room() const noexcept { return made_room_; }

private:
    [[nodiscard]] bool make_room(const std::string* peer);
    void forget(Seat& seat);

    Bounds bounds_;
    std::set<Seat*> seats_;  // Without those that were cut.
    std::map<std::string, std::size_t, std::less<>> of_peer_;
    std::uint64_t turn_ = 0;
    std::uint64_t made_room_ = 0;
};

}  // namespace fanfare
