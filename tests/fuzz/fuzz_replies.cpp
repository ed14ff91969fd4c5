// Whatever a mail server or a server of HTTP/1.1 says, an exchange ends, and how far it came is
// known. The first byte chooses; the rest is all that the server writes: to a real socket, as
// libcurl reads the bytes first, and into our own reader, in pieces of any size.
#include "core/error/failure.hpp"
#include "core/http/h1_reader.hpp"
#include "core/http/limits.hpp"
#include "core/http/mail_transfer.hpp"
#include "core/http/transfer.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace {

using namespace fanfare;

/// Writes the same to whoever connects, and reads what they say until they go.
class Server {
public:
    Server() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        auto* const raw = reinterpret_cast<sockaddr*>(&address);
        ensure(::bind(listener_, raw, size) == 0 && ::listen(listener_, 8) == 0, "a port is free");
        ::getsockname(listener_, raw, &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread{[this] { serve(); }};
    }
    ~Server() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    void say(std::string_view words) {
        const std::scoped_lock lock{mutex_};
        words_ = words;
    }
    [[nodiscard]] int port() const { return port_; }

private:
    void serve() {
        while (true) {
            const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (socket < 0) return;
            const timeval patience{1, 0};
            ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
            std::string words;
            {
                const std::scoped_lock lock{mutex_};
                words = words_;
            }
            static_cast<void>(::send(socket, words.data(), words.size(), MSG_NOSIGNAL));
            ::shutdown(socket, SHUT_WR);
            std::array<char, 4096> heard{};
            while (::recv(socket, heard.data(), heard.size(), 0) > 0) continue;
            ::close(socket);
        }
    }

    std::mutex mutex_;  // Of words_.
    std::string words_;
    int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int port_ = 0;
    std::thread thread_;
};

HttpOptions make_options() {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    ensure(ready == CURLE_OK, "libcurl initialises");
    HttpOptions options;
    options.timeout = std::chrono::milliseconds{1'000};
    options.allow_http = true;
    return options;
}

HttpAnswer send_mail(int port, bool logs_in) {
    HttpRequest request;
    request.url = fmt::format("smtp://127.0.0.1:{}/us.example.com", port);
    request.body = "Subject: x\r\n\r\nbody\r\n";
    request.mail = MailEnvelope{.from = "us@example.com",
                                .recipient = "a@example.com",
                                .username = logs_in ? "user" : "",
                                .password = logs_in ? "password" : "",
                                .message_id = "<1@example.com>",
                                .cleartext = true};
    return MailTransfer{make_options()}.perform(request);
}

HttpAnswer call(int port) {
    HttpRequest request;
    request.url = fmt::format("http://127.0.0.1:{}/", port);
    request.body = "body";
    Transfer transfer{make_options()};
    transfer.prepare(request, {});
    return transfer.finish(curl_easy_perform(transfer.easy()));
}

struct Reading {
    HttpAnswer answer;
    H1Reader::State state = H1Reader::State::more;
    bool may_go_on = false;
};

Reading read_in_pieces(std::string_view words, std::size_t piece) {
    Reading reading;
    H1Reader reader;
    reader.begin(reading.answer);
    while (!words.empty() && reading.state == H1Reader::State::more) {
        reading.state = reader.read(words.substr(0, piece));
        words.remove_prefix(std::min(piece, words.size()));
    }
    if (reading.state == H1Reader::State::more) reading.state = reader.end();
    const bool is_whole = reading.state == H1Reader::State::whole;
    reading.may_go_on = is_whole && reader.may_go_on();
    const int status = reading.answer.status;
    ensure(reading.state != H1Reader::State::more, "the end is the end");
    ensure(is_whole || !reader.fault().empty(), "a fault has words");
    ensure(status == 0 ? !is_whole : status >= 200 && status <= 999, "an answer has a status");
    ensure(reading.answer.body.size() <= answer_bytes_max, "an answer has bounds");
    return reading;
}

void check_reader(std::string_view words, std::size_t piece) {
    const auto whole = read_in_pieces(words, std::max<std::size_t>(words.size(), 1));
    const auto pieces = read_in_pieces(words, piece);
    ensure(whole.state == pieces.state, "however it comes, an answer is one or is none");
    ensure(whole.answer.status == pieces.answer.status, "however it comes, it has its status");
    if (whole.state != H1Reader::State::whole) return;
    ensure(whole.answer.body == pieces.answer.body, "however it comes, it has its body");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) return 0;
    static Server server;
    server.say({reinterpret_cast<const char*>(bytes + 1), size - 1});
    const bool is_mail = bytes[0] % 4 != 0;
    if (!is_mail) {
        const auto piece = std::size_t{bytes[0]} / 4 + 1;
        check_reader({reinterpret_cast<const char*>(bytes + 1), size - 1}, piece);
    }
    const auto answer = is_mail ? send_mail(server.port(), bytes[0] % 4 == 1) : call(server.port());
    const bool is_answered = answer.transport == Transport::answered;
    ensure(answer.status >= 0 && answer.status <= 999, "a status has three digits");
    ensure(answer.body.size() <= (is_mail ? 4'096 : answer_bytes_max), "an answer has bounds");
    ensure(!is_answered || answer.status > 0 || is_mail, "an answer has a status");
    ensure(is_answered || !is_mail || answer.body.empty(), "what is none says nothing");
    ensure(is_answered || !answer.fault.empty(), "a fault has words");
    return 0;
}
