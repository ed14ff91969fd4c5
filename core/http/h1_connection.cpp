#include "core/http/h1_connection.hpp"

#include "core/http/limits.hpp"

#include <sys/socket.h>
#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::seconds kept_max{20};     // Below what providers keep idle connections.
constexpr std::chrono::seconds proven_after{1};  // Open for so long: the server means it.
constexpr std::size_t answer_read_bytes =
    8 * 1024;  // Answers are small; a thousand connections are not.
constexpr std::size_t sealed_bytes_max = 256 * 1024;

/// One line of the head; no value can begin another.
void append_line(std::string_view line, std::string& head) {
    for (const char byte : line) head.push_back(in_header_line(byte));
    head.append("\r\n");
}

}  // namespace

H1Connection::H1Connection(const Parts& parts)
    : parts_{parts}, begun_at_{parts_.clock.steady_now()} {
    if (parts.tls != nullptr) tls_.emplace(*parts.tls, parts.origin.host, HttpVersion::h1);
}

void H1Connection::begin() {
    const auto& origin = parts_.origin;
    dialer_ = std::make_shared<Dialer>(
        parts_.executor,
        Dialer::Target{.host = origin.host, .port = origin.port, .loopback_only = !origin.tls},
        std::min<std::chrono::nanoseconds>(parts_.options.timeout, http_connect_max),
        [weak = weak_from_this()](tcp::socket* socket, const std::string& fault) {
            if (const auto self = weak.lock()) self->dialled(socket, fault);
        });
    dialer_->begin();
}

void H1Connection::dialled(tcp::socket* socket, const std::string& fault) {
    if (closed_) return;
    if (socket == nullptr) return lose("http1: " + fault);
    socket_.emplace(std::move(*socket));
    dialer_.reset();
    error_code ignored;
    socket_->set_option(tcp::no_delay{true}, ignored);
    socket_->non_blocking(true, ignored);
    in_.resize(answer_read_bytes);
    idle_since_ = parts_.clock.steady_now();
    if (tls_ && !tls_->shake_hands()) return lose(tls_->fault());
    open_ = !tls_;
    open_ ? pump() : write();
    if (!closed_) read();
    if (!closed_ && open_) parts_.owner.moved({});  // Others may be dialled now.
}

void H1Connection::read() {
    socket_->async_read_some(asio::buffer(in_.data(), in_.size()),
                             [self = shared_from_this()](error_code fault, std::size_t size) {
                                 if (self->closed_) return;
                                 if (fault) {
                                     return self->take_end("reading: " + fault.message(),
                                                           fault == asio::error::eof);
                                 }
                                 self->take({self->in_.data(), size});
                                 if (!self->closed_) self->read();
                             });
}

void H1Connection::take(std::string_view bytes) {
    if (!tls_) return take_plain(bytes);
    plain_.clear();
    const bool alive = tls_->receive(bytes, plain_);
    if (!open_ && tls_->is_ready()) {
        open_ = true;
        idle_since_ = parts_.clock.steady_now();
    }
    if (!plain_.empty()) take_plain(plain_);
    if (closed_) return;
    if (!alive) return take_end(tls_->fault(), false);
    write();  // The handshake's next bytes.
    // Also where there were none: whoever wanted it may have waited for these.
    if (!closed_ && exchange_ == nullptr && open_) parts_.owner.moved({});
}

void H1Connection::take_plain(std::string_view bytes) {
    if (exchange_ == nullptr) return lose("http1: the server speaks unasked");
    heard_ = true;
    const auto state = reader_.read(bytes);
    if (state == H1Reader::State::broken) return lose(reader_.fault());
    // One that is answered before it has left need not leave; nothing follows it then.
    if (state == H1Reader::State::whole) {
        finish(exchange_->whole && reader_.may_go_on() && !holds_bytes());
    }
}

/// Without TLS the server's orderly end may be the answer's; with TLS only where it says so.
void H1Connection::take_end(const std::string& fault, bool is_orderly) {
    const bool is_proper = tls_ ? tls_->is_closed() : is_orderly;
    const bool may_be_whole = exchange_ != nullptr && heard_ && is_proper;
    if (may_be_whole && reader_.end() == H1Reader::State::whole) return finish(false);
    lose(tls_ && !tls_->fault().empty() ? tls_->fault() : "http1: " + fault);
}

void H1Connection::finish(bool stays) {
    const auto self = shared_from_this();
    auto* const exchange = std::exchange(exchange_, nullptr);
    exchange->answer.transport = Transport::answered;
    exchange->ended = true;
    idle_since_ = parts_.clock.steady_now();
    const std::array ended{exchange};
    if (stays) return parts_.owner.moved(ended);
    std::ignore = close("http1: the server ends the connection");
    parts_.owner.gone(*this, ended);
}

bool H1Connection::is_idle() const { return is_useful() && open_ && exchange_ == nullptr; }

/// Part of a record came: what it says would pass for the answer to what is sent now.
bool H1Connection::holds_bytes() const { return tls_ && tls_->holds_bytes(); }

bool H1Connection::has_room() const { return is_idle() && !holds_bytes(); }

bool H1Connection::has_served() const noexcept {
    return served_ || (open_ && parts_.clock.steady_now() - idle_since_ >= proven_after);
}

bool H1Connection::is_stale() const { return parts_.clock.steady_now() - idle_since_ >= kept_max; }

/// Something came that has yet to be read, or the end: no request goes out before it is.
bool H1Connection::is_readable() {
    char byte = 0;
    const auto got = ::recv(socket_->native_handle(), &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
    return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void H1Connection::pump() {
    if (!has_room() || !parts_.owner.has_waiting()) return;
    if (is_stale()) return lose("http1: the connection was idle for too long");
    if (is_readable()) return;  // What is being read tells more, and calls the owner.
    exchange_ = parts_.owner.next(*this);
    if (exchange_ == nullptr) return;
    served_ = true;
    heard_ = false;
    reader_.begin(exchange_->answer);
    write_head();
    const auto& request = *exchange_->request;
    unwritten_ = {head_, request.get ? std::string_view{} : std::string_view{request.body}};
    write();
}

void H1Connection::write_head() {
    const auto& request = *exchange_->request;
    head_ = request.get ? "GET " : "POST ";
    head_.append(exchange_->path).append(" HTTP/1.1\r\n");
    head_.append("Host: ").append(exchange_->origin->authority).append("\r\n");
    bool accepts = false;
    for (const auto& line : request.headers) {
        accepts = accepts || line.starts_with("Accept:");
        append_line(line, head_);
    }
    if (!accepts) head_.append("Accept: */*\r\n");
    if (!request.get) {
        std::array<char, 20> length{};
        const auto end =
            std::to_chars(length.data(), length.data() + length.size(), request.body.size());
        head_.append("Content-Length: ").append(length.data(), end.ptr).append("\r\n");
    }
    head_.append("\r\n");
}

/// Encrypts more of the request where all of what was encrypted is written. False: TLS is over.
bool H1Connection::fill_sealed() {
    if (sealed_written_ == sealed_.size()) {
        sealed_.clear();
        sealed_written_ = 0;
        std::size_t room = sealed_bytes_max;
        for (auto& part : unwritten_) {
            const auto piece = part.substr(0, room);
            if (piece.empty()) continue;
            if (!tls_->encrypt(piece)) return false;
            part.remove_prefix(piece.size());
            room -= piece.size();
        }
    }
    tls_->take(sealed_);
    return true;
}

void H1Connection::note_written(std::size_t bytes) {
    if (tls_) {
        sealed_written_ += bytes;
        if (sealed_written_ < sealed_.size()) return;
    } else {
        for (auto& part : unwritten_) {
            const auto size = std::min(bytes, part.size());
            part.remove_prefix(size);
            bytes -= size;
        }
    }
    if (exchange_ != nullptr && unwritten_[0].empty() && unwritten_[1].empty()) {
        exchange_->whole = true;
    }
}

void H1Connection::write() {
    while (!closed_ && !waiting_) {
        if (tls_ && !fill_sealed()) return lose(tls_->fault());
        error_code fault;
        std::size_t size = 0;
        if (tls_) {
            const auto left = std::string_view{sealed_}.substr(sealed_written_);
            if (left.empty()) return;
            size = socket_->write_some(asio::buffer(left), fault);
        } else {
            const std::array<asio::const_buffer, 2> left{asio::buffer(unwritten_[0]),
                                                         asio::buffer(unwritten_[1])};
            if (asio::buffer_size(left) == 0) return;
            size = socket_->write_some(left, fault);
        }
        if (fault == asio::error::would_block || fault == asio::error::try_again) {
            return wait_to_write();
        }
        if (fault) return lose("http1: writing: " + fault.message());
        note_written(size);
    }
}

void H1Connection::wait_to_write() {
    waiting_ = true;
    socket_->async_wait(tcp::socket::wait_write, [self = shared_from_this()](error_code fault) {
        if (self->closed_) return;
        self->waiting_ = false;
        if (fault) return self->lose("http1: writing: " + fault.message());
        self->write();
    });
}

void H1Connection::check_time() {
    if (closed_) return;
    const auto now = parts_.clock.steady_now();
    if (leaving_) return lose("http1: an answer did not come in time");
    if (!open_ && now - begun_at_ >= std::min(parts_.options.timeout, http_connect_max)) {
        return lose("http1: connecting took too long");
    }
    if (!is_idle()) return;
    if (is_stale()) return lose("http1: the connection was idle for too long");
    // It takes none while it does, and its place may be the only one.
    if (has_served() && holds_bytes()) lose("http1: the server speaks unasked");
}

void H1Connection::end_exchange(std::string_view fault) {
    auto& exchange = *std::exchange(exchange_, nullptr);
    // Who answers had the request. Else its last byte decides.
    const bool in_doubt = exchange.whole || heard_;
    exchange.answer.transport = in_doubt ? Transport::in_doubt : Transport::not_sent;
    exchange.answer.fault = fault;
    exchange.ended = true;
    unwritten_ = {};
}

/// HTTP/1.1 has no word for it: what would come yet is nobody's, and so is the connection.
void H1Connection::abandon(OpenExchange&, std::string_view fault) {
    end_exchange(fault);
    leaving_ = true;
}

std::vector<OpenExchange*> H1Connection::close(std::string_view fault) {
    closed_ = true;
    if (dialer_) dialer_->cancel();
    error_code ignored;
    if (socket_) socket_->close(ignored);
    std::vector<OpenExchange*> ended;
    if (exchange_ != nullptr) {
        ended.push_back(exchange_);
        end_exchange(fault);
    }
    return ended;
}

void H1Connection::lose(std::string_view fault) {
    if (closed_) return;
    const auto self = shared_from_this();
    fault_ = fault;
    parts_.owner.gone(*this, close(fault_));
}

}  // namespace fanfare
