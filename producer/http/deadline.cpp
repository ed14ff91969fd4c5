#include "producer/http/deadline.hpp"

namespace fanfare {

Deadline::Deadline(Socket& socket, std::set<Deadline*>& open)
    : socket_{socket},
      open_{open},
      timer_{socket.get_executor()},
      state_{std::make_shared<State>(State{this})} {
    open_.insert(this);
}

Deadline::~Deadline() {
    open_.erase(this);
    state_->owner = nullptr;
}

void Deadline::arm(std::chrono::milliseconds left, Socket::shutdown_type half) {
    timer_.expires_after(left);
    timer_.async_wait(
        [state = state_, mine = ++state_->armed, half](const boost::system::error_code& fault) {
            if (fault || state->owner == nullptr || state->armed != mine) return;
            state->passed = true;
            state->owner->cut(half);
        });
}

void Deadline::cut(Socket::shutdown_type half) {
    boost::system::error_code ignored;
    socket_.shutdown(half, ignored);
}

}  // namespace fanfare
