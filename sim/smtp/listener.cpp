#include "sim/smtp/listener.hpp"

#include "sim/providers/smtp/smtp.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <utility>

namespace fanfare::sim {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::minutes idle_max{5};
constexpr std::chrono::milliseconds accept_pause{50};

}  // namespace

/// One connection. Kept alive by its own pending operations.
class SmtpListener::Session final : public std::enable_shared_from_this<Session> {
public:
    Session(tcp::socket socket, SmtpListener& owner)
        : stream_{std::move(socket), owner.tls_},
          owner_{owner},
          open_{owner.open_},
          conversation_{owner.rules_},
          idle_{stream_.get_executor()},
          delay_{stream_.get_executor()} {
        ++*open_;
    }
    ~Session() { --*open_; }

    void start() {
        out_ = Conversation::greeting();
        write(Conversation::Next::read);
    }

private:
    void go_on() {
        const auto next = conversation_.step(out_);
        write(next);
    }

    /// Writes what there is to say, then does what is next.
    void write(Conversation::Next next) {
        if (out_.empty()) return turn(next);
        const auto written = [self = shared_from_this(), next](error_code error, std::size_t) {
            self->out_.clear();
            if (error) return self->close();
            self->turn(next);
        };
        if (secure_) {
            asio::async_write(stream_, asio::buffer(out_), written);
        } else {
            asio::async_write(stream_.next_layer(), asio::buffer(out_), written);
        }
    }

    void turn(Conversation::Next next) {
        switch (next) {
            case Conversation::Next::read:
                return read();
            case Conversation::Next::start_tls:
                return start_tls();
            case Conversation::Next::message:
                return judge();
            case Conversation::Next::close:
                return close();
        }
    }

    void read() {
        idle_.expires_after(idle_max);
        idle_.async_wait([weak = weak_from_this()](error_code error) {
            const auto self = weak.lock();
            if (!error && self) self->close();
        });
        const auto arrived = [self = shared_from_this()](error_code error, std::size_t bytes) {
            self->idle_.cancel();
            if (error) return self->close();
            if (self->is_silent_) return self->read();
            self->conversation_.feed({self->in_.data(), bytes});
            self->go_on();
        };
        if (secure_) {
            stream_.async_read_some(asio::buffer(in_), arrived);
        } else {
            stream_.next_layer().async_read_some(asio::buffer(in_), arrived);
        }
    }

    void start_tls() {
        stream_.async_handshake(asio::ssl::stream_base::server,
                                [self = shared_from_this()](error_code error) {
                                    if (error) return self->close();
                                    self->secure_ = true;
                                    self->conversation_.secured();
                                    self->read();
                                });
    }

    void judge() {
        const std::array fields{Field{"mail-from", conversation_.sender()},
                                Field{"rcpt-to", conversation_.recipient()}};
        reaction_.clear();
        owner_.handler_.handle({.method = "SMTP",
                                .path = smtp_path,
                                .query = {},
                                .headers = fields,
                                .body = conversation_.message()},
                               reaction_);
        if (reaction_.action == Reaction::Action::park) {
            return owner_.handler_.park(reaction_.ticket, [self = shared_from_this()] {
                asio::post(self->stream_.get_executor(), [self] { self->judge(); });
            });
        }
        delay_.expires_after(reaction_.delay);
        delay_.async_wait([self = shared_from_this()](error_code) { self->settle(); });
    }

    void settle() {
        if (reaction_.action == Reaction::Action::silence) {
            is_silent_ = true;  // Until the client has enough of it.
            return read();
        }
        end();
        if (reaction_.action != Reaction::Action::answer) return close();
        conversation_.forget();
        out_ = reaction_.answer.body;
        // A reply that was cut short ends the connection: nothing could make sense behind it.
        if (!out_.ends_with("\r\n")) return write(Conversation::Next::close);
        go_on();  // Commands may have been pipelined behind the message.
    }

    void end() { owner_.handler_.ended(std::exchange(reaction_.ticket, Reaction::no_ticket)); }

    void close() {
        if (is_silent_) end();
        is_silent_ = false;
        error_code ignored;
        stream_.next_layer().shutdown(tcp::socket::shutdown_both, ignored);
        stream_.next_layer().close(ignored);
    }

    asio::ssl::stream<tcp::socket> stream_;
    SmtpListener& owner_;
    std::shared_ptr<std::size_t> open_;
    Conversation conversation_;
    asio::steady_timer idle_;
    asio::steady_timer delay_;
    std::array<char, 16 * 1024> in_{};
    std::string out_;
    Reaction reaction_;
    bool secure_ = false;
    bool is_silent_ = false;
};

SmtpListener::SmtpListener(asio::io_context& loop, Handler& handler, asio::ssl::context& tls,
                           MailRules rules)
    : handler_{handler}, tls_{tls}, rules_{std::move(rules)}, acceptor_{loop} {}

std::uint16_t SmtpListener::listen(const std::string& address, std::uint16_t port) {
    const tcp::endpoint endpoint{asio::ip::make_address(address), port};
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address{true});
    acceptor_.bind(endpoint);
    acceptor_.listen();
    accept();
    return acceptor_.local_endpoint().port();
}

void SmtpListener::accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
        if (error == asio::error::operation_aborted) return;
        if (error) {
            auto timer =
                std::make_shared<asio::steady_timer>(acceptor_.get_executor(), accept_pause);
            return timer->async_wait([this, timer](error_code stopped) {
                if (!stopped) accept();
            });
        }
        error_code ignored;
        socket.set_option(tcp::no_delay{true}, ignored);
        if (*open_ < connections_max) std::make_shared<Session>(std::move(socket), *this)->start();
        accept();
    });
}

}  // namespace fanfare::sim
