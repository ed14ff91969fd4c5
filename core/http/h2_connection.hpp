#pragma once

#include "core/clock/clock.hpp"
#include "core/http/client.hpp"
#include "core/http/dialer.hpp"
#include "core/http/h2_exchange.hpp"
#include "core/http/h2_session.hpp"
#include "core/http/tls.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {

class H2Connection;

/// Who gives a connection its work.
class H2Owner {
public:
    virtual ~H2Owner() = default;
    /// The exchange that waits longest; nothing where none does. It is the connection's then.
    [[nodiscard]] virtual H2Exchange* next(H2Connection& connection) = 0;
    /// Exchanges ended, or there may be room for others.
    virtual void moved(std::vector<H2Exchange*> ended) = 0;
    /// It is closed, and so ended the last of its exchanges. Called last, once, unless close() was;
    /// the owner may be gone when it returns.
    virtual void gone(H2Connection& connection, std::vector<H2Exchange*> ended) = 0;
};

/// One connection: dialled, then with TLS where the origin has it, then an HTTP/2 session.
///
/// What leaves in one turn is one write: the frames of every request that waits, up to 256 KiB.
///
/// Bounds    connecting takes 5 s or the exchanges' timeout, if that is shorter. A server that says
///           nothing for a quarter of the timeout, while an exchange is open, is asked by PING; if
///           it stays silent for as long again, or reads nothing for so long altogether, it gets no
///           further request: those that are open keep their whole time. After 20 s of idleness one
///           that does not answer a PING takes no request.
/// Threads   one serial executor.
/// Lifetime  kept alive by its own pending operations; calls its owner until it is closed.
class H2Connection : public std::enable_shared_from_this<H2Connection> {
public:
    struct Parts {
        boost::asio::any_io_executor executor;
        const H2Origin& origin;
        const HttpOptions& options;
        const Clock& clock;
        H2Owner& owner;
    };
    H2Connection(const Parts& parts, SSL_CTX* tls);

    void begin();
    /// Ends every exchange of it; the owner is not called any more.
    [[nodiscard]] std::vector<H2Exchange*> close(std::string_view fault);
    /// Writes what may leave, if nothing is being written.
    void pump();
    /// Looks at what should have happened by now.
    void check_time();
    /// Ends one of its exchanges from our side; moved() is not called for it.
    void abandon(H2Exchange& exchange, std::string_view fault);

    /// It is not open yet, or has to show that it still is.
    [[nodiscard]] bool is_coming() const noexcept;
    /// It may take requests, now or later.
    [[nodiscard]] bool is_useful() const noexcept;
    /// It takes one as soon as what is being written has left.
    [[nodiscard]] bool has_room() const;
    /// A stream was opened on it.
    [[nodiscard]] bool has_served() const noexcept { return session_.begun() > 0; }
    [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

private:
    void dialled(boost::asio::ip::tcp::socket* socket, const std::string& fault);
    void read();
    void take(std::string_view bytes);
    void after_bytes();
    [[nodiscard]] std::string over_because() const;
    void write();
    void lose(std::string_view fault);
    void shut();
    /// False where that closed it.
    [[nodiscard]] bool tell_moved(std::vector<H2Exchange*> ended);
    /// False while it has yet to show that it lives.
    [[nodiscard]] bool is_proven();
    /// True where the server has not reacted for half of the exchanges' timeout.
    [[nodiscard]] bool is_unresponsive(SteadyTime now) const;

    Parts parts_;
    std::shared_ptr<Dialer> dialer_;
    std::optional<boost::asio::ip::tcp::socket> socket_;
    std::optional<TlsChannel> tls_;
    H2Session session_;
    std::string in_;       // Of the network.
    std::string plain_;    // What it says.
    std::string frames_;   // To be encrypted.
    std::string writing_;  // Being written.
    SteadyTime begun_at_;
    SteadyTime heard_at_;  // The last byte of the server.
    SteadyTime asked_at_{};
    SteadyTime writing_since_{};
    std::uint64_t pongs_wanted_ = 0;
    bool open_ = false;
    bool asked_ = false;    // By a PING, since the last byte.
    bool silent_ = false;   // It takes no request before it reacts.
    bool proving_ = false;  // It takes no request before it answers.
    bool busy_writing_ = false;
    bool batch_left_ = true;  // Something of the last batch may have left.
    bool closed_ = false;
    std::string fault_;
};

}  // namespace fanfare
