#include "sim/http/connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

namespace fanfare::sim {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t read_bytes_first = 8 * 1024;
constexpr std::size_t read_bytes_max = 128 * 1024;
constexpr std::size_t unwritten_bytes_max = 1024 * 1024;

/// Moves bytes between a socket and a codec, and requests between the codec and the handler.
///
/// Bounds    stops reading while `unwritten_bytes_max` wait or the codec is full.
/// Stop      by the peer, a time limit, or a Reaction; closing the io_context drops it.
/// Threads   the executor of its socket only.
/// Lifetime  kept alive by its own pending operations and timers.
template <class Stream>
class StreamConnection final : public Connection,
                               public CodecEvents,
                               public std::enable_shared_from_this<StreamConnection<Stream>> {
public:
    template <class... Arguments>
    explicit StreamConnection(const ConnectionPorts& ports, Arguments&&... arguments)
        : stream_{std::forward<Arguments>(arguments)...},
          ports_{ports},
          in_(read_bytes_first),
          moved_at_{ports.clock.steady_now()},
          begun_at_{moved_at_} {
        ports_.set.insert(this);
    }

    ~StreamConnection() override {
        ports_.set.erase(this);
        for (const auto& [id, ticket] : silent_) ports_.handler.ended(ticket);
    }

    void start() override {
        if constexpr (std::is_same_v<Stream, tcp::socket>) {
            codec_ = make_http1_codec(*this, ports_.rules.bounds);
            read();
        } else {
            stream_.async_handshake(asio::ssl::stream_base::server,
                                    [self = this->shared_from_this()](error_code error) {
                                        if (error) return self->close();
                                        self->choose_codec();
                                        self->write();
                                        self->read();
                                    });
        }
    }

    void check_time(SteadyTime now) override;
    void on_request(ExchangeId id, const Request& request) override;
    void on_cancelled(ExchangeId id) override;

private:
    void choose_codec();
    void read();
    void write();
    void later(ExchangeId id, Reaction reaction);
    void settle(ExchangeId id, Reaction& reaction);
    void resume(ExchangeId id);
    void close();
    tcp::socket& socket();

    Stream stream_;
    ConnectionPorts ports_;
    std::unique_ptr<Codec> codec_;
    std::vector<char> in_;
    std::string waiting_;                                      // To be written next.
    std::string writing_;                                      // Being written.
    Reaction reaction_;                                        // Used again for each request.
    std::vector<std::pair<ExchangeId, std::uint8_t>> silent_;  // And their tickets.
    SteadyTime moved_at_;                                      // Last byte read or written.
    SteadyTime begun_at_;     // No request has been half read for longer than since then.
    std::uint32_t open_ = 0;  // Exchanges that are delayed, parked or silent.
    bool reading_ = false;
    bool busy_writing_ = false;
    bool closed_ = false;
};

template <class Stream>
tcp::socket& StreamConnection<Stream>::socket() {
    if constexpr (std::is_same_v<Stream, tcp::socket>) {
        return stream_;
    } else {
        return stream_.next_layer();
    }
}

template <class Stream>
void StreamConnection<Stream>::choose_codec() {
    if constexpr (!std::is_same_v<Stream, tcp::socket>) {
        const unsigned char* protocol = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(stream_.native_handle(), &protocol, &size);
        const bool http2 = size == 2 && protocol[0] == 'h' && protocol[1] == '2';
        codec_ = http2 ? make_http2_codec(*this, ports_.rules.bounds)
                       : make_http1_codec(*this, ports_.rules.bounds);
    }
}

template <class Stream>
void StreamConnection<Stream>::read() {
    if (reading_ || closed_ || codec_->finished() || codec_->full() ||
        waiting_.size() > unwritten_bytes_max) {
        return;
    }
    reading_ = true;
    stream_.async_read_some(asio::buffer(in_),
                            [self = this->shared_from_this()](error_code error, std::size_t bytes) {
                                self->reading_ = false;
                                if (error || self->closed_) return self->close();
                                self->moved_at_ = self->ports_.clock.steady_now();
                                self->codec_->feed({self->in_.data(), bytes});
                                if (!self->codec_->reading()) self->begun_at_ = self->moved_at_;
                                if (bytes == self->in_.size() && bytes < read_bytes_max)
                                    self->in_.resize(bytes * 4);
                                self->write();
                                self->read();
                            });
}

template <class Stream>
void StreamConnection<Stream>::write() {
    if (closed_ || busy_writing_) return;
    codec_->flush(waiting_);
    if (waiting_.empty()) {
        if (codec_->finished()) close();
        return;
    }
    busy_writing_ = true;
    writing_.clear();
    writing_.swap(waiting_);
    asio::async_write(stream_, asio::buffer(writing_),
                      [self = this->shared_from_this()](error_code error, std::size_t) {
                          self->busy_writing_ = false;
                          if (error || self->closed_) return self->close();
                          self->moved_at_ = self->ports_.clock.steady_now();
                          self->write();
                          self->read();
                      });
}

template <class Stream>
void StreamConnection<Stream>::on_request(ExchangeId id, const Request& request) {
    begun_at_ = moved_at_;
    reaction_.clear();
    ports_.handler.handle(request, reaction_);
    if (reaction_.action == Reaction::Action::park) {
        ++open_;
        auto again = [self = this->shared_from_this(), id] {
            asio::post(self->stream_.get_executor(), [self, id] { self->resume(id); });
        };
        return ports_.handler.park(reaction_.ticket, std::move(again));
    }
    if (reaction_.delay.count() > 0) {
        ++open_;
        return later(id, std::move(reaction_));
    }
    settle(id, reaction_);
}

template <class Stream>
void StreamConnection<Stream>::on_cancelled(ExchangeId id) {
    std::erase_if(silent_, [&](const auto& silent) {
        if (silent.first != id) return false;
        ports_.handler.ended(silent.second);
        --open_;
        return true;
    });
}

template <class Stream>
void StreamConnection<Stream>::later(ExchangeId id, Reaction reaction) {
    auto timer = std::make_unique<asio::steady_timer>(stream_.get_executor(), reaction.delay);
    auto& waiting = *timer;
    waiting.async_wait([self = this->shared_from_this(), id, kept = std::move(timer),
                        reaction = std::move(reaction)](error_code) mutable {
        --self->open_;
        self->settle(id, reaction);
        self->write();
        self->read();
    });
}

template <class Stream>
void StreamConnection<Stream>::settle(ExchangeId id, Reaction& reaction) {
    switch (reaction.action) {
        case Reaction::Action::silence:
            ++open_;
            silent_.emplace_back(id, reaction.ticket);
            return;
        case Reaction::Action::answer:
            if (!closed_) codec_->answer(id, reaction.answer);
            break;
        case Reaction::Action::drop:
            if (!closed_) codec_->abandon(id);
            break;
        case Reaction::Action::cut:
            close();
            break;
        case Reaction::Action::park:
            break;  // on_request() has seen to it.
    }
    ports_.handler.ended(reaction.ticket);
}

template <class Stream>
void StreamConnection<Stream>::resume(ExchangeId id) {
    --open_;
    const auto* request = closed_ ? nullptr : codec_->request(id);
    if (request == nullptr) return;
    on_request(id, *request);
    write();
    read();
}

template <class Stream>
void StreamConnection<Stream>::check_time(SteadyTime now) {
    const auto& rules = ports_.rules;
    const bool half_read = codec_ == nullptr || codec_->reading();
    const auto patience = open_ > 0       ? rules.silence_max
                          : busy_writing_ ? rules.request_timeout
                                          : rules.idle_timeout;
    if (now - moved_at_ > patience || (half_read && now - begun_at_ > rules.request_timeout)) {
        close();
    }
}

template <class Stream>
void StreamConnection<Stream>::close() {
    if (closed_) return;
    closed_ = true;
    error_code ignored;
    socket().shutdown(tcp::socket::shutdown_both, ignored);
    socket().close(ignored);
}

}  // namespace

std::shared_ptr<Connection> make_plain_connection(tcp::socket socket,
                                                  const ConnectionPorts& ports) {
    return std::make_shared<StreamConnection<tcp::socket>>(ports, std::move(socket));
}

std::shared_ptr<Connection> make_tls_connection(tcp::socket socket, asio::ssl::context& tls,
                                                const ConnectionPorts& ports) {
    return std::make_shared<StreamConnection<asio::ssl::stream<tcp::socket>>>(
        ports, std::move(socket), tls);
}

}  // namespace fanfare::sim
