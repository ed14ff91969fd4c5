#include "core/http/pool.hpp"

#include <algorithm>
#include <utility>

namespace fanfare {
namespace {

constexpr std::chrono::seconds rest{1};
constexpr std::size_t dials_max = 16;  // At once: each may need a thread to look a name up.

void end_unsent(OpenExchange& exchange, std::string_view fault) {
    exchange.answer.transport = Transport::not_sent;
    exchange.answer.fault = fault;
}

}  // namespace

HttpPool::HttpPool(HttpOrigin origin, Parts parts)
    : origin_{std::move(origin)}, parts_{std::move(parts)} {}

void HttpPool::place(OpenExchange& exchange, Exchanges& list) {
    list.splice(list.end(), *exchange.list, exchange.self);
    exchange.list = &list;
}

void HttpPool::add(const HttpRequest& request, std::string_view path, HttpClient::Done done) {
    if (spare_.empty()) {
        spare_.emplace_back();
        spare_.back().list = &spare_;
        spare_.back().self = std::prev(spare_.end());
    }
    auto& exchange = spare_.back();
    place(exchange, waiting_);
    const auto self = exchange.self;
    auto its_path = std::move(exchange.path);
    its_path.assign(path);
    exchange = {.request = &request,
                .origin = &origin_,
                .path = std::move(its_path),
                .done = std::move(done),
                .answer = std::move(exchange.answer),
                .begun_at = parts_.clock.steady_now(),
                .list = &waiting_,
                .self = self};
    parts_.kick();
}

SteadyTime HttpPool::first_deadline() const {
    auto first = SteadyTime::max();
    if (!waiting_.empty()) first = waiting_.front().begun_at;
    if (!running_.empty()) first = std::min(first, running_.front().begun_at);
    return first + parts_.options.timeout;
}

OpenExchange* HttpPool::next(HttpConnection& connection) {
    if (waiting_.empty()) return nullptr;
    auto& exchange = waiting_.front();
    place(exchange, running_);
    exchange.carrier = &connection;
    return &exchange;
}

void HttpPool::complete_all(std::span<OpenExchange* const> ended) {
    for (auto* const exchange : ended) {
        if (closed_) return;  // By the one before; close() has told the others.
        complete(*exchange);
    }
}

void HttpPool::moved(std::span<OpenExchange* const> ended) {
    const auto self = shared_from_this();
    complete_all(ended);
    // Also without any: windows and settings make room.
    if (!closed_) parts_.kick();
}

void HttpPool::gone(HttpConnection& connection, std::span<OpenExchange* const> ended) {
    const auto self = shared_from_this();
    complete_all(ended);
    if (closed_) return;
    std::erase_if(connections_, [&](const auto& each) { return each.get() == &connection; });
    if (!connection.has_served()) {
        rest_until_ = parts_.clock.steady_now() + rest;
        const bool others = std::any_of(connections_.begin(), connections_.end(),
                                        [](const auto& each) { return each->is_useful(); });
        if (!others) fail_waiting(connection.fault(), connection.begun_at());
    }
    if (!closed_) parts_.kick();
}

void HttpPool::turn() {
    const auto self = shared_from_this();
    auto connections = std::move(turning_);
    connections = connections_;  // One that breaks leaves the original.
    for (const auto& connection : connections) {
        if (!closed_) connection->pump();
    }
    connections.clear();
    turning_ = std::move(connections);
    while (!closed_ && wants_connection()) dial();
}

bool HttpPool::wants_connection() const {
    if (waiting_.empty()) return false;
    const auto& options = parts_.options;
    std::size_t useful = 0;
    std::size_t coming = 0;
    for (const auto& connection : connections_) {
        if (connection->has_room()) return false;
        if (connection->is_useful()) ++useful;
        if (connection->is_coming()) ++coming;
    }
    if (useful >= options.connections_max || coming >= dials_max) return false;
    if (connections_.size() >= std::size_t{options.connections_max} * 2) return false;
    if (useful > 0 && parts_.clock.steady_now() < rest_until_) return false;
    return waiting_.size() > coming * options.streams_max;
}

void HttpPool::dial() {
    auto* const tls = origin_.tls ? parts_.tls() : nullptr;
    if (origin_.tls && tls == nullptr) {
        return fail_waiting("tls: the certificates to trust cannot be read", SteadyTime::max());
    }
    const auto connection = parts_.connect({.executor = parts_.executor,
                                            .origin = origin_,
                                            .options = parts_.options,
                                            .clock = parts_.clock,
                                            .owner = *this,
                                            .tls = tls});
    connections_.push_back(connection);
    connection->begin();
}

void HttpPool::fail_waiting(std::string_view fault, SteadyTime until) {
    // Who is added meanwhile is not of them.
    for (auto left = waiting_.size(); left > 0 && !closed_ && !waiting_.empty(); --left) {
        if (waiting_.front().begun_at > until) return;
        end_unsent(waiting_.front(), fault);
        complete(waiting_.front());
    }
}

void HttpPool::check_time() {
    const auto self = shared_from_this();
    const auto late = parts_.clock.steady_now() - parts_.options.timeout;
    for (auto* const list : {&waiting_, &running_}) {
        while (!closed_ && !list->empty() && list->front().begun_at <= late) {
            expire(list->front());
        }
    }
    const auto connections = connections_;
    for (const auto& connection : connections) {
        if (!closed_) connection->check_time();
    }
    if (!closed_) parts_.kick();
}

void HttpPool::expire(OpenExchange& exchange) {
    constexpr std::string_view fault = "http: no answer in time";
    if (exchange.carrier == nullptr) {
        end_unsent(exchange, fault);
    } else {
        exchange.carrier->abandon(exchange, fault);
    }
    complete(exchange);
}

void HttpPool::complete(OpenExchange& exchange) {
    exchange.answer.elapsed = std::chrono::duration_cast<std::chrono::microseconds>(
        parts_.clock.steady_now() - exchange.begun_at);
    const auto done = std::exchange(exchange.done, nullptr);
    place(exchange, telling_);
    done(exchange.answer);
    make_new(exchange.answer);
    place(exchange, spare_);
}

void HttpPool::close() {
    const auto self = shared_from_this();
    closed_ = true;
    constexpr std::string_view fault = "http: the client ends";
    // Those that have ended, and were about to be told, keep what they are told.
    for (const auto& connection : connections_) std::ignore = connection->close(fault);
    connections_.clear();
    while (!running_.empty()) complete(running_.front());
    while (!waiting_.empty()) {
        end_unsent(waiting_.front(), fault);
        complete(waiting_.front());
    }
}

}  // namespace fanfare
