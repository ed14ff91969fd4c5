#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fanfare::test {

/// One accepted connection, as the script of a test sees it. Blocking.
class Line {
public:
    virtual ~Line() = default;
    /// The next request, head and body; nothing when the client is gone.
    [[nodiscard]] virtual std::optional<std::string> read_request() = 0;
    /// Reads so many bytes at least, whatever they are. False when the client is gone.
    virtual bool read_bytes(std::size_t count) = 0;
    /// So many bytes; nothing when the client is gone.
    [[nodiscard]] virtual std::optional<std::string> read(std::size_t count) = 0;
    virtual void write(std::string_view bytes) = 0;
    /// FIN: the orderly end.
    virtual void close() = 0;
    /// RST: the other end.
    virtual void reset() = 0;
    /// Waits until the client closes its side.
    void wait_for_close() {
        while (read_bytes(1)) {
        }
    }
};

/// A hand-written HTTP/1.1 server that does what a test says, byte by byte: each connection
/// runs `script` on a thread of its own.
class HttpServer {
public:
    using Script = std::function<void(Line& line, int connection)>;  // Connections from 0.

    explicit HttpServer(Script script);
    /// With TLS: certificate and key as PEM; `protocol` is what it chooses where ALPN offers it.
    HttpServer(Script script, std::string_view certificate, std::string_view key,
               std::string protocol = {});
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::string url(std::string_view path = "/send") const;
    /// Whole requests read so far, on all connections, in order of arrival.
    [[nodiscard]] std::vector<std::string> requests() const;
    [[nodiscard]] int connections() const { return connections_; }

    /// "HTTP/1.1 200 OK" with a length and this body.
    [[nodiscard]] static std::string answer(int status, std::string_view body,
                                            std::string_view headers = {});

private:
    template <class Stream>
    class StreamLine;

    void accept_loop();
    void serve(boost::asio::ip::tcp::socket socket, int connection);
    void note(std::string request);

    Script script_;
    std::string protocol_;  // As ALPN writes a list.
    boost::asio::io_context context_;
    std::unique_ptr<boost::asio::ssl::context> tls_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::uint16_t port_ = 0;
    std::atomic<int> connections_{0};
    std::atomic<bool> stopping_{false};
    mutable std::mutex mutex_;
    std::vector<std::string> requests_;
    std::set<boost::asio::ip::tcp::socket::native_handle_type> open_;
    std::vector<std::thread> workers_;
    std::thread acceptor_thread_;
};

/// A fresh self-signed certificate for one name ("IP:127.0.0.1", "DNS:other.example").
struct Certificate {
    std::string certificate;  // PEM.
    std::string key;          // PEM.
};
[[nodiscard]] Certificate make_certificate(const std::string& alternative_name);

/// The body of a request as read_request() gives it.
[[nodiscard]] std::string_view body_of(std::string_view request);

}  // namespace fanfare::test
