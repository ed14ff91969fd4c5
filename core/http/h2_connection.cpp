#include "core/http/h2_connection.hpp"

#include "core/http/limits.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <utility>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::seconds idle_max{20};           // Then it must show that it still lives,
constexpr std::chrono::milliseconds proof_max{1'000};  // within so long.
constexpr int silences_of_timeout = 4;  // After one of them it is asked, after two it is silent.
constexpr std::size_t read_bytes = 64 * 1024;
constexpr std::size_t batch_bytes_max = 256 * 1024;

}  // namespace

H2Connection::H2Connection(const Parts& parts)
    : parts_{parts},
      session_{parts.options.streams_max},
      begun_at_{parts.clock.steady_now()},
      heard_at_{begun_at_} {
    if (parts.tls != nullptr) tls_.emplace(*parts.tls, parts.origin.host, HttpVersion::h2);
}

void H2Connection::begin() {
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

void H2Connection::dialled(tcp::socket* socket, const std::string& fault) {
    if (closed_) return;
    if (socket == nullptr) return lose("http2: " + fault);
    socket_.emplace(std::move(*socket));
    dialer_.reset();
    error_code ignored;
    socket_->set_option(tcp::no_delay{true}, ignored);
    in_.resize(read_bytes);
    heard_at_ = parts_.clock.steady_now();
    if (tls_ && !tls_->shake_hands()) return lose(tls_->fault());
    open_ = !tls_;
    write();
    read();
}

void H2Connection::read() {
    socket_->async_read_some(asio::buffer(in_.data(), in_.size()),
                             [self = shared_from_this()](error_code fault, std::size_t size) {
                                 if (self->closed_) return;
                                 if (fault) return self->lose("http2: reading: " + fault.message());
                                 self->take({self->in_.data(), size});
                                 if (!self->closed_) self->read();
                             });
}

void H2Connection::take(std::string_view bytes) {
    heard_at_ = parts_.clock.steady_now();
    asked_ = false;
    bool alive = true;
    if (tls_) {
        plain_.clear();
        alive = tls_->receive(bytes, plain_);
        open_ = tls_->is_ready();
        bytes = plain_;
    }
    if (!bytes.empty()) session_.receive(bytes);
    if (session_.pongs() >= pongs_wanted_) proving_ = false;
    if (!alive) return lose(tls_->fault());
    after_bytes();
}

std::string H2Connection::over_because() const {
    return session_.fault().empty() ? "http2: the session is over" : session_.fault();
}

void H2Connection::after_bytes() {
    const bool over = session_.is_over() || (session_.is_leaving() && session_.open() == 0);
    if (over) return lose(over_because());
    if (!open_) write();  // The handshake's next bytes.
    std::ignore = tell_moved();
}

bool H2Connection::tell_moved() {
    auto ended = session_.take_ended(std::move(told_));
    parts_.owner.moved(ended);
    told_ = std::move(ended);
    return !closed_;
}

bool H2Connection::is_coming() const noexcept {
    return is_useful() && (!open_ || !session_.is_settled() || proving_);
}

bool H2Connection::is_useful() const noexcept {
    return !closed_ && !silent_ && !session_.is_leaving();
}

bool H2Connection::has_room() const { return is_useful() && !is_coming() && session_.has_room(); }

bool H2Connection::is_proven() {
    if (asked_ && is_unresponsive(parts_.clock.steady_now())) silent_ = true;
    if (proving_ || silent_) return false;
    if (session_.open() > 0) return true;
    const auto now = parts_.clock.steady_now();
    if (now - heard_at_ < idle_max) return true;
    proving_ = true;
    asked_at_ = now;
    pongs_wanted_ = session_.pongs() + 1;
    session_.ping();
    return false;
}

void H2Connection::pump() {
    if (!closed_ && open_) write();
}

void H2Connection::write() {
    if (busy_writing_ || closed_) return;
    writing_.clear();
    if (open_) {
        frames_.clear();
        session_.gather(frames_, batch_bytes_max, [this]() -> OpenExchange* {
            return is_proven() ? parts_.owner.next(*this) : nullptr;
        });
        // A PING of is_proven() is the last thing to leave.
        if (proving_) session_.gather(frames_, batch_bytes_max, [] { return nullptr; });
        if (session_.has_ended() && !tell_moved()) return;
        if (!tls_) {
            writing_.swap(frames_);
        } else if (!frames_.empty() && !tls_->encrypt(frames_)) {
            return lose(tls_->fault());
        }
    }
    if (tls_) tls_->take(writing_);
    if (writing_.empty()) {
        if (open_ && session_.is_over()) lose(over_because());
        return;
    }
    busy_writing_ = true;
    writing_since_ = parts_.clock.steady_now();
    batch_left_ = true;
    asio::async_write(*socket_, asio::buffer(writing_),
                      [self = shared_from_this()](error_code fault, std::size_t left) {
                          if (self->closed_) return;
                          self->busy_writing_ = false;
                          self->batch_left_ = left > 0;
                          if (fault) return self->lose("http2: writing: " + fault.message());
                          self->write();
                      });
}

void H2Connection::check_time() {
    if (closed_) return;
    const auto now = parts_.clock.steady_now();
    const bool is_open = open_ && session_.is_settled();
    if (!is_open && now - begun_at_ >= std::min(parts_.options.timeout, http_connect_max)) {
        return lose("http2: connecting took too long");
    }
    if (proving_ && now - asked_at_ >= proof_max) {
        return lose("http2: the server did not answer a PING");
    }
    if (open_ && session_.is_leaving() && session_.open() == 0) return lose(over_because());
    silent_ = is_unresponsive(now);
    if (silent_ && session_.open() == 0) return lose("http2: the server does not react");
    if (!open_ || session_.open() == 0) return;
    if (!asked_ && now - heard_at_ >= parts_.options.timeout / silences_of_timeout) {
        asked_ = true;
        asked_at_ = now;
        session_.ping();
        write();
    }
}

bool H2Connection::is_unresponsive(SteadyTime now) const {
    const auto silence = parts_.options.timeout / silences_of_timeout;
    return (asked_ && now - asked_at_ >= silence) ||
           (busy_writing_ && now - writing_since_ >= 2 * silence);
}

void H2Connection::abandon(OpenExchange& exchange, std::string_view fault) {
    session_.abandon(exchange, fault);
    std::ignore = session_.take_ended();
}

void H2Connection::shut() {
    closed_ = true;
    if (dialer_) dialer_->cancel();
    error_code ignored;
    if (socket_) socket_->close(ignored);
}

std::vector<OpenExchange*> H2Connection::close(std::string_view fault) {
    shut();
    session_.lose(fault, batch_left_);
    return session_.take_ended();
}

void H2Connection::lose(std::string_view fault) {
    if (closed_) return;
    const auto self = shared_from_this();
    fault_ = fault;
    parts_.owner.gone(*this, close(fault_));
}

}  // namespace fanfare
