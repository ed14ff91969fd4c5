#pragma once

#include "core/error/failure.hpp"
#include "core/reference/reference.hpp"
#include "producer/http/router.hpp"

#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace fanfare {

/// Serves /u/{reference}, the link of RFC 8058: a POST unsubscribes at once, without login or
/// cookie; a GET shows a page with a button and changes nothing, because scanners follow links.
///
/// Bounds    16 KiB a body, `per_second` requests of each method.
/// Threads   the server's.
class UnsubscribeDesk {
public:
    /// True when it is stored, false when the ledger knows no such send.
    using Store = std::function<boost::asio::awaitable<Result<bool>>(Reference)>;

    struct Parts {
        const References& references;
        std::uint32_t per_second;
        std::shared_ptr<prometheus::Registry> registry;
        Store store;
    };

    explicit UnsubscribeDesk(Parts parts);
    void add_routes(Router& router);

private:
    [[nodiscard]] boost::asio::awaitable<HttpReply> show(const HttpCall& call);
    [[nodiscard]] boost::asio::awaitable<HttpReply> unsubscribe(const HttpCall& call);
    [[nodiscard]] std::optional<Reference> reference_of(const HttpCall& call) const;
    [[nodiscard]] HttpReply answer(const char* result, HttpReply page);

    Parts parts_;
    prometheus::Family<prometheus::Counter>* requests_;
};

}  // namespace fanfare
