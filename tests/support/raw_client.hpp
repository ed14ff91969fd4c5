#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace fanfare::test {

/// A client that writes bytes and reads answers, one after the other. Blocking.
class RawClient {
public:
    explicit RawClient(std::uint16_t port, const char* from = "127.0.0.1") {
        namespace ip = boost::asio::ip;
        socket_.open(ip::tcp::v4());
        socket_.bind({ip::make_address(from), 0});
        socket_.connect({ip::make_address("127.0.0.1"), port});
    }
    /// False when the server is gone.
    bool write(std::string_view bytes) {
        boost::system::error_code fault;
        boost::asio::write(socket_, boost::asio::buffer(bytes), fault);
        return !fault;
    }
    /// Head and body of the next answer; "" when the server closed.
    std::string read(bool head_only = false) {
        boost::system::error_code fault;
        const auto size =
            boost::asio::read_until(socket_, boost::asio::dynamic_buffer(held_), "\r\n\r\n", fault);
        if (fault) return {};
        auto answer = held_.substr(0, size);
        held_.erase(0, size);
        if (head_only) return answer;
        const auto at = answer.find("Content-Length: ");
        const std::size_t length = at == std::string::npos ? 0 : std::stoul(answer.substr(at + 16));
        if (held_.size() < length) {
            boost::asio::read(socket_, boost::asio::dynamic_buffer(held_),
                              boost::asio::transfer_exactly(length - held_.size()), fault);
        }
        if (fault) return {};
        answer += held_.substr(0, length);
        held_.erase(0, length);
        return answer;
    }
    /// Something has come that was not read yet.
    bool has_bytes() { return !held_.empty() || socket_.available() > 0; }
    std::string ask(std::string_view bytes) {
        write(bytes);
        return read();
    }
    bool is_closed() {
        char byte = 0;
        boost::system::error_code fault;
        return held_.empty() && socket_.read_some(boost::asio::buffer(&byte, 1), fault) == 0;
    }

private:
    boost::asio::io_context context_;
    boost::asio::ip::tcp::socket socket_{context_};
    std::string held_;
};

}  // namespace fanfare::test
