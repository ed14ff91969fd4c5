#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fanfare::test {

/// One accepted connection, as the script of a test sees it. Blocking.
class MailLine {
public:
    virtual ~MailLine() = default;
    /// The next line without its CRLF, noted in MailServer::lines(); nothing when the client
    /// is gone.
    [[nodiscard]] virtual std::optional<std::string> read() = 0;
    /// A line of the server's; CRLF is added.
    virtual void say(std::string_view line) = 0;
    /// The server's side of STARTTLS. False when the handshake fails.
    virtual bool start_tls() = 0;
    virtual void close() = 0;
    virtual void reset() = 0;

    /// A message up to its lone dot, dots taken off again; nothing when the client is gone.
    [[nodiscard]] std::optional<std::string> read_message();
    /// Reads a line and says `reply`; false when the client is gone.
    bool answer(std::string_view reply);
    void wait_for_close() {
        while (read()) {
        }
    }
};

/// A hand-written mail server that does what a test says, line by line: each connection runs
/// `script` on a thread of its own.
class MailServer {
public:
    using Script = std::function<void(MailLine& line, int connection)>;  // From 0.

    /// `certificate` and `key` as PEM, for start_tls(); may be empty.
    explicit MailServer(Script script, std::string_view certificate = {},
                        std::string_view key = {});
    ~MailServer();
    MailServer(const MailServer&) = delete;
    MailServer& operator=(const MailServer&) = delete;

    [[nodiscard]] std::string url() const;
    /// All lines read outside messages, on all connections, in order of arrival.
    [[nodiscard]] std::vector<std::string> lines() const;
    /// How many of them begin so.
    [[nodiscard]] std::size_t count(std::string_view command) const;
    [[nodiscard]] int connections() const { return connections_; }

private:
    class Stream;

    void accept_loop();

    Script script_;
    boost::asio::io_context context_;
    boost::asio::ssl::context tls_{boost::asio::ssl::context::tls_server};
    boost::asio::ip::tcp::acceptor acceptor_;
    std::atomic<int> connections_{0};
    std::atomic<bool> stopping_{false};
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
    std::set<boost::asio::ip::tcp::socket::native_handle_type> open_;
    std::vector<std::thread> workers_;
    std::thread acceptor_thread_;
};

}  // namespace fanfare::test
