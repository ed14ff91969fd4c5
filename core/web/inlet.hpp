#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace fanfare {

/// The bytes of a connection that have arrived and are not used up.
///
/// Bounds    what its user leaves there, and 4 KiB.
template <class Stream>
class Inlet {
public:
    explicit Inlet(Stream& stream) : stream_{stream} {}

    /// Waits for more of them; false when there will be none.
    [[nodiscard]] boost::asio::awaitable<bool> more() {
        namespace asio = boost::asio;
        const auto kept = bytes_.size();
        bytes_.resize(kept + step);
        const auto room = asio::buffer(bytes_.data() + kept, step);
        auto [fault, count] =
            co_await stream_.async_read_some(room, asio::as_tuple(asio::use_awaitable));
        bytes_.resize(kept + count);
        co_return !fault;
    }

    [[nodiscard]] std::string_view bytes() const noexcept { return bytes_; }
    void drop(std::size_t count) { bytes_.erase(0, count); }

private:
    static constexpr std::size_t step = 4 * 1024;

    Stream& stream_;
    std::string bytes_;
};

}  // namespace fanfare
