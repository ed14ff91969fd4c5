#include "producer/http/body_room.hpp"

namespace fanfare {

BodyRoom::Share::~Share() {
    if (taken_ == 0) return;
    room_.taken_ -= taken_;
    const auto peers = room_.of_peer_.find(peer_);
    peers->second -= taken_;
    if (peers->second == 0) room_.of_peer_.erase(peers);
}

bool BodyRoom::Share::grow_to(std::size_t bytes) {
    if (bytes <= taken_) return true;
    const auto more = bytes - taken_;
    const auto found = room_.of_peer_.find(peer_);
    const auto peers = found == room_.of_peer_.end() ? 0 : found->second;
    const auto [all, a_peer] = room_.bounds_;
    if (room_.taken_ + more > all || (a_peer > 0 && peers + more > a_peer)) return false;
    room_.taken_ += more;
    room_.of_peer_[peer_] = peers + more;
    taken_ = bytes;
    return true;
}

}  // namespace fanfare
