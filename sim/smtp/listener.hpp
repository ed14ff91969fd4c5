#pragma once

#include "sim/http/handler.hpp"
#include "sim/smtp/conversation.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace fanfare::sim {

/// Listens for SMTP on an event loop and hands whole messages to the handler, as requests with
/// method "SMTP"; see smtp_path.
///
/// The fate of a mail is chosen when its end has arrived, and is the answer to that.
///
/// Bounds    connections_max connections, closed when idle for five minutes.
/// Stop      with its loop.
/// Threads   the loop's one thread.
/// Lifetime  all it is given outlives it; nothing runs on the loop once it is gone.
class SmtpListener {
public:
    SmtpListener(boost::asio::io_context& loop, Handler& handler, boost::asio::ssl::context& tls,
                 MailRules rules);
    SmtpListener(const SmtpListener&) = delete;
    SmtpListener& operator=(const SmtpListener&) = delete;

    /// Returns the port in use. Throws boost::system::system_error when it is taken.
    std::uint16_t listen(const std::string& address, std::uint16_t port);

private:
    class Session;
    void accept();

    static constexpr std::size_t connections_max = 2'000;

    Handler& handler_;
    boost::asio::ssl::context& tls_;
    MailRules rules_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::shared_ptr<std::size_t> open_ = std::make_shared<std::size_t>(0);  // Connections.
};

}  // namespace fanfare::sim
