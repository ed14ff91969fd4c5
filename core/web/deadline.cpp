#include "core/web/deadline.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using asio::as_tuple;
using asio::use_awaitable;

constexpr std::chrono::seconds linger_max{2};
constexpr std::size_t linger_bytes_max = 1 << 20;

}  // namespace

Deadline::Deadline(Socket& socket)
    : socket_{socket},
      timer_{socket.get_executor()},
      pause_{socket.get_executor()},
      state_{std::make_shared<State>(State{this})} {}

Deadline::~Deadline() { state_->owner = nullptr; }

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
    if (half != Socket::shutdown_both) return;
    is_cut_ = true;
    pause_.cancel();
}

asio::awaitable<void> Deadline::pause(std::chrono::milliseconds duration) {
    if (is_cut_) co_return;
    pause_.expires_after(duration);
    co_await pause_.async_wait(as_tuple(use_awaitable));
}

asio::awaitable<void> linger(Deadline::Socket& socket, Deadline& deadline) {
    deadline.cut(Deadline::Socket::shutdown_send);
    deadline.arm(linger_max, Deadline::Socket::shutdown_both);
    std::array<char, 4096> scrap;
    for (std::size_t total = 0; total < linger_bytes_max;) {
        const auto room = asio::buffer(scrap);
        auto [fault, count] = co_await socket.async_read_some(room, as_tuple(use_awaitable));
        if (fault) break;
        total += count;
    }
}

}  // namespace fanfare
