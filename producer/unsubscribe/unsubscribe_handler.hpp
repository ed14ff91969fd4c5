#pragma once

#include "core/clock/clock.hpp"
#include "core/error/failure.hpp"
#include "core/reference/reference.hpp"
#include "producer/http/rate.hpp"
#include "producer/http/router.hpp"

#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace fanfare {

/// Serves /u/{reference}, the link of RFC 8058: a POST unsubscribes at once, without login or
/// cookie, whatever its body; a GET shows a page with a button and changes nothing, because
/// scanners follow links. The link's signature is looked at first: what is none of ours costs
/// those that are nothing.
///
/// Bounds    `per_second` requests of each method, of which one link has two; no body is read.
/// Threads   the server's.
class UnsubscribeHandler {
public:
    /// True when it is stored, false when the ledger knows no such send. With it the mark of the
    /// address that it went to (References::read_seal); "": the link names none.
    using Store = std::function<boost::asio::awaitable<Result<bool>>(Reference, std::string)>;

    struct Parts {
        const References& references;
        const Clock& clock;
        std::uint32_t per_second;
        std::shared_ptr<prometheus::Registry> registry;
        Store store;
    };

    explicit UnsubscribeHandler(Parts parts);
    void add_routes(Router& router);

private:
    using Opened = std::variant<HttpHandler, HttpReply>;
    struct Limits {
        Rate all;
        Rates a_link;
    };

    [[nodiscard]] boost::asio::awaitable<Opened> enter(const HttpCall& call, Limits& limits);
    [[nodiscard]] boost::asio::awaitable<HttpReply> serve(const HttpCall& call, Reference reference,
                                                          std::string mark);
    [[nodiscard]] std::string read_mark(const HttpCall& call, const Reference& reference) const;
    [[nodiscard]] HttpReply answer(const char* result, HttpReply page);

    Parts parts_;
    Limits shown_;
    Limits stored_;
    prometheus::Family<prometheus::Counter>* requests_;
};

}  // namespace fanfare
