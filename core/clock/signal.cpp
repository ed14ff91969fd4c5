#include "core/clock/signal.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace fanfare {

namespace asio = boost::asio;

Signal::Signal(const asio::any_io_executor& executor) : channel_{executor} {}

void Signal::notify() {
    while (channel_.try_send(boost::system::error_code{})) {
    }
}

void Signal::notify_one() { std::ignore = channel_.try_send(boost::system::error_code{}); }

asio::awaitable<void> Signal::wait() {
    co_await channel_.async_receive(asio::as_tuple(asio::use_awaitable));
}

}  // namespace fanfare
