#include "core/web/seats.hpp"

#include <utility>
#include <vector>

namespace fanfare {

namespace ip = boost::asio::ip;

std::string to_peer(const ip::address& address) {
    if (address.is_v4()) return address.to_string();
    auto network = address.to_v6();
    if (network.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, network).to_string();
    auto bytes = network.to_bytes();
    for (std::size_t i = bytes.size() / 2; i < bytes.size(); ++i) bytes[i] = 0;
    return ip::address_v6{bytes, network.scope_id()}.to_string() + "/64";
}

Seats::Seat::~Seat() { seats_.forget(*this); }

void Seats::Seat::rest() noexcept {
    state_ = State::idle;
    quiet_since_ = ++seats_.turn_;
}

std::unique_ptr<Seats::Seat> Seats::take(std::string peer, std::function<void()> cut) {
    const auto share = of_peer_.find(peer);
    const bool has_share =
        bounds_.a_peer > 0 && share != of_peer_.end() && share->second >= bounds_.a_peer;
    if (has_share && !make_room(&peer)) return nullptr;
    if (seats_.size() >= bounds_.all && !make_room(nullptr)) return nullptr;
    std::unique_ptr<Seat> seat{new Seat{*this, std::move(peer), std::move(cut)}};
    seat->rest();
    seats_.insert(seat.get());
    ++of_peer_[seat->peer_];
    return seat;
}

bool Seats::make_room(const std::string* peer) {
    Seat* quietest = nullptr;
    for (auto* const seat : seats_) {
        if (seat->state_ == Seat::State::serving || (peer != nullptr && seat->peer_ != *peer)) {
            continue;
        }
        if (quietest == nullptr || seat->quiet_since_ < quietest->quiet_since_) quietest = seat;
    }
    if (quietest == nullptr) return false;
    ++made_room_;
    forget(*quietest);
    quietest->cut_();
    return true;
}

void Seats::forget(Seat& seat) {
    if (seats_.erase(&seat) == 0) return;
    const auto share = of_peer_.find(seat.peer_);
    if (--share->second == 0) of_peer_.erase(share);
}

void Seats::cut_idle() {
    for (auto* const seat : seats_) {
        if (seat->state_ == Seat::State::idle) seat->cut_();
    }
}

void Seats::cut_all() {
    for (auto* const seat : seats_) seat->cut_();
}

}  // namespace fanfare
