#pragma once

#include "core/clock/clock.hpp"
#include "core/http/client.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

namespace fanfare {

class HttpConnection;

/// Where requests go: what of a URL names a server.
struct HttpOrigin {
    std::string url;  // "https://host:port", as the URLs begin.
    bool tls = true;
    std::string host;       // Without the brackets of IPv6.
    std::string port;       // Digits.
    std::string authority;  // As the URL says it, without the scheme's own port.
};

/// One request on its way: what goes out, what came back so far.
struct OpenExchange {
    const HttpRequest* request = nullptr;
    const HttpOrigin* origin = nullptr;
    std::string path;  // With the query.
    HttpClient::Done done;
    HttpAnswer answer;
    SteadyTime begun_at{};

    std::int32_t stream = 0;            // 0: none yet.
    HttpConnection* carrier = nullptr;  // While it has a stream.
    std::size_t place = 0;              // Among the session's open ones.
    std::size_t body_read = 0;          // Bytes of the request's body that went into frames.
    std::size_t header_bytes = 0;       // Of the answer.
    bool whole = false;                 // Its last byte went into frames ...
    std::uint64_t batch = 0;  // ... of this batch: until then nobody can have processed it.
    bool ended = false;       // `answer` says how.
    std::list<OpenExchange>* list = nullptr;  // Where it stands, and at which place.
    std::list<OpenExchange>::iterator self;
};

}  // namespace fanfare
