#include "tests/support/mail_server.hpp"

#include <fmt/format.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>

#include <algorithm>

namespace fanfare::test {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class MailServer::Stream final : public MailLine {
public:
    Stream(tcp::socket socket, MailServer& server)
        : stream_{std::move(socket), server.tls_}, server_{server} {}

    std::optional<std::string> read() override {
        error_code fault;
        const auto into = asio::dynamic_buffer(buffer_);
        const auto size = secure_ ? asio::read_until(stream_, into, "\r\n", fault)
                                  : asio::read_until(stream_.next_layer(), into, "\r\n", fault);
        if (fault) return std::nullopt;
        std::string line = buffer_.substr(0, size - 2);
        buffer_.erase(0, size);
        const std::lock_guard guard{server_.mutex_};
        server_.lines_.push_back(line);
        return line;
    }
    void say(std::string_view line) override {
        const auto bytes = std::string{line} + "\r\n";
        error_code ignored;
        if (secure_) {
            asio::write(stream_, asio::buffer(bytes), ignored);
        } else {
            asio::write(stream_.next_layer(), asio::buffer(bytes), ignored);
        }
    }
    bool start_tls() override {
        error_code fault;
        stream_.handshake(asio::ssl::stream_base::server, fault);
        secure_ = !fault;
        return secure_;
    }
    void close() override {
        error_code ignored;
        stream_.next_layer().shutdown(tcp::socket::shutdown_both, ignored);
    }
    void reset() override {
        error_code ignored;
        auto& socket = stream_.next_layer();
        socket.set_option(asio::socket_base::linger{true, 0}, ignored);
        {
            const std::lock_guard guard{server_.mutex_};
            server_.open_.erase(socket.native_handle());
        }
        socket.close(ignored);
    }

private:
    asio::ssl::stream<tcp::socket> stream_;
    MailServer& server_;
    std::string buffer_;
    bool secure_ = false;
};

std::optional<std::string> MailLine::read_message() {
    std::string message;
    while (auto line = read()) {
        if (*line == ".") return message;
        if (line->starts_with('.')) line->erase(0, 1);
        message.append(*line).append("\r\n");
    }
    return std::nullopt;
}

bool MailLine::answer(std::string_view reply) {
    if (!read()) return false;
    say(reply);
    return true;
}

MailServer::MailServer(Script script, std::string_view certificate, std::string_view key)
    : script_{std::move(script)},
      acceptor_{context_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}} {
    if (!certificate.empty()) {
        tls_.use_certificate_chain(asio::buffer(certificate.data(), certificate.size()));
        tls_.use_private_key(asio::buffer(key.data(), key.size()), asio::ssl::context::pem);
    }
    acceptor_thread_ = std::thread{[this] { accept_loop(); }};
}

MailServer::~MailServer() {
    stopping_ = true;
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    acceptor_thread_.join();
    {
        const std::lock_guard guard{mutex_};
        for (const auto handle : open_) ::shutdown(handle, SHUT_RDWR);
    }
    for (auto& worker : workers_) worker.join();
}

std::string MailServer::url() const {
    return fmt::format("smtp://127.0.0.1:{}/client.example.org", acceptor_.local_endpoint().port());
}

std::vector<std::string> MailServer::lines() const {
    const std::lock_guard guard{mutex_};
    return lines_;
}

std::size_t MailServer::count(std::string_view command) const {
    const auto all = lines();
    return static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [&](const auto& line) { return line.starts_with(command); }));
}

void MailServer::accept_loop() {
    while (!stopping_) {
        error_code fault;
        tcp::socket socket{context_};
        acceptor_.accept(socket, fault);
        if (fault || stopping_) return;
        const int connection = connections_++;
        const auto handle = socket.native_handle();
        {
            const std::lock_guard guard{mutex_};
            open_.insert(handle);
        }
        workers_.emplace_back([this, connection, handle, accepted = std::move(socket)]() mutable {
            Stream stream{std::move(accepted), *this};
            script_(stream, connection);
            const std::lock_guard guard{mutex_};
            open_.erase(handle);
        });
    }
}

}  // namespace fanfare::test
