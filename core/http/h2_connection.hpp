#pragma once

#include "core/http/connection.hpp"
#include "core/http/dialer.hpp"
#include "core/http/h2_session.hpp"
#include "core/http/tls.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {

/// One connection: dialled, then with TLS where the origin has it, then an HTTP/2 session.
///
/// What leaves in one turn is one write: the frames of every request that waits, up to 256 KiB.
///
/// Bounds    connecting takes 5 s or the exchanges' timeout, if that is shorter. A server that says
///           nothing for a quarter of the timeout, while an exchange is open, is asked by PING; if
///           it stays silent for as long again, or reads nothing for so long altogether, it gets no
///           further request: those that are open keep their whole time. After 20 s of idleness one
///           that does not answer a PING takes no request.
class H2Connection final : public HttpConnection,
                           public std::enable_shared_from_this<H2Connection> {
public:
    explicit H2Connection(const Parts& parts);

    void begin() override;
    [[nodiscard]] std::vector<OpenExchange*> close(std::string_view fault) override;
    void pump() override;
    void check_time() override;
    void abandon(OpenExchange& exchange, std::string_view fault) override;

    [[nodiscard]] bool is_coming() const noexcept override;
    [[nodiscard]] bool is_useful() const noexcept override;
    [[nodiscard]] bool has_room() const override;
    [[nodiscard]] bool has_served() const noexcept override { return session_.begun() > 0; }
    [[nodiscard]] SteadyTime begun_at() const noexcept override { return begun_at_; }
    [[nodiscard]] const std::string& fault() const noexcept override { return fault_; }

private:
    void dialled(boost::asio::ip::tcp::socket* socket, const std::string& fault);
    void read();
    void take(std::string_view bytes);
    void after_bytes();
    [[nodiscard]] std::string over_because() const;
    void write();
    void lose(std::string_view fault);
    void shut();
    /// Tells the owner of what ended. False where that closed it.
    [[nodiscard]] bool tell_moved();
    /// False while it has yet to show that it lives.
    [[nodiscard]] bool is_proven();
    /// True where the server has not reacted for half of the exchanges' timeout.
    [[nodiscard]] bool is_unresponsive(SteadyTime now) const;

    Parts parts_;
    std::shared_ptr<Dialer> dialer_;
    std::optional<boost::asio::ip::tcp::socket> socket_;
    std::optional<TlsChannel> tls_;
    H2Session session_;
    std::string in_;                   // Of the network.
    std::string plain_;                // What it says.
    std::string frames_;               // To be encrypted.
    std::string writing_;              // Being written.
    std::vector<OpenExchange*> told_;  // Those of the last time; kept for its memory.
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
