#pragma once

#include "core/clock/clock.hpp"
#include "core/http/client.hpp"
#include "core/http/open_exchange.hpp"

#include <openssl/ssl.h>
#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// Who gives connections their work.
class ConnectionOwner {
public:
    virtual ~ConnectionOwner() = default;
    /// True where next() would give one.
    [[nodiscard]] virtual bool has_waiting() const noexcept = 0;
    /// The exchange that waits longest; nothing where none does. It is the connection's then.
    [[nodiscard]] virtual OpenExchange* next(HttpConnection& connection) = 0;
    /// Exchanges ended, or there may be room for others.
    virtual void moved(std::span<OpenExchange* const> ended) = 0;
    /// It is closed, and so ended the last of its exchanges. Called last, once, unless close() was;
    /// the owner may be gone when it returns.
    virtual void gone(HttpConnection& connection, std::span<OpenExchange* const> ended) = 0;
};

/// One connection to a server, whatever version of HTTP it speaks: what a pool has to know of it.
///
/// Threads   one serial executor.
/// Lifetime  kept alive by its own pending operations; calls its owner until it is closed.
class HttpConnection {
public:
    struct Parts {
        boost::asio::any_io_executor executor;
        const HttpOrigin& origin;
        const HttpOptions& options;
        const Clock& clock;
        ConnectionOwner& owner;
        SSL_CTX* tls;  // Null: without TLS.
    };
    virtual ~HttpConnection() = default;

    virtual void begin() = 0;
    /// Ends every exchange of it; the owner is not called any more.
    [[nodiscard]] virtual std::vector<OpenExchange*> close(std::string_view fault) = 0;
    /// Writes what may leave, if nothing is being written.
    virtual void pump() = 0;
    /// Looks at what should have happened by now.
    virtual void check_time() = 0;
    /// Ends one of its exchanges from our side; moved() is not called for it.
    virtual void abandon(OpenExchange& exchange, std::string_view fault) = 0;

    /// It is not open yet, or has to show that it still is.
    [[nodiscard]] virtual bool is_coming() const noexcept = 0;
    /// It may take requests, now or later.
    [[nodiscard]] virtual bool is_useful() const noexcept = 0;
    /// It takes one as soon as what is being written has left.
    [[nodiscard]] virtual bool has_room() const = 0;
    /// A request began on it, or might have: where it ends, the server is there all the same.
    [[nodiscard]] virtual bool has_served() const noexcept = 0;
    /// When it was dialled.
    [[nodiscard]] virtual SteadyTime begun_at() const noexcept = 0;
    [[nodiscard]] virtual const std::string& fault() const noexcept = 0;
};

}  // namespace fanfare
