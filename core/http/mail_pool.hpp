#pragma once

#include "core/http/client.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <memory>

namespace fanfare {

/// Many mails at once, each on a thread while it lasts.
///
/// libcurl 7.88 waits inside curl_multi_socket_action() for the answer to the end of a
/// message, and for the one to QUIT (smtp_done, smtp_block_statemach): under Asio one slow
/// mail server would stop the whole loop.
///
/// Bounds    connections_max threads and connections, made when first needed; the rest waits.
/// Stop      close() breaks off what runs and tells each fate before it returns.
/// Threads   start(), close() and every `done` on the executor, which must be serial.
class MailPool {
public:
    MailPool(const boost::asio::any_io_executor& executor, const HttpOptions& options);
    ~MailPool();
    MailPool(const MailPool&) = delete;
    MailPool& operator=(const MailPool&) = delete;

    /// As HttpClient::start(), for a request with an envelope.
    void start(const HttpRequest& request, HttpClient::Done done);
    void close();
    [[nodiscard]] std::size_t in_flight() const noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace fanfare
