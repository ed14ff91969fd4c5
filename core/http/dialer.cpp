#include "core/http/dialer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// As given, but the first of the other family comes second, and so on.
std::vector<tcp::endpoint> by_turns(std::vector<tcp::endpoint> given) {
    if (given.empty()) return given;
    const auto middle = std::stable_partition(
        given.begin(), given.end(),
        [first = given[0].protocol()](auto& each) { return each.protocol() == first; });
    std::vector<tcp::endpoint> out;
    for (auto one = given.begin(), other = middle; one != middle || other != given.end();) {
        if (one != middle) out.push_back(*one++);
        if (other != given.end()) out.push_back(*other++);
    }
    return out;
}

}  // namespace

Dialer::Dialer(const asio::any_io_executor& executor, Target target,
               std::chrono::nanoseconds connect_max, Done done)
    : executor_{executor},
      target_{std::move(target)},
      connect_max_{connect_max},
      done_{std::move(done)},
      socket_{executor},
      alarm_{executor} {}

void Dialer::begin() {
    alarm_.call(connect_max_, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || !self->endpoints_.empty()) return;
        self->fault_ = "looking up the host took too long";
        self->end(nullptr);
    });
    lookup_.begin(executor_, target_.host, target_.port,
                  [weak = weak_from_this()](Lookup::Answer answer) {
                      if (const auto self = weak.lock()) self->found(std::move(answer));
                  });
}

void Dialer::found(Lookup::Answer answer) {
    if (!done_) return;
    alarm_.cancel();
    fault_ = std::move(answer.fault);
    if (target_.loopback_only) {
        const auto removed = std::erase_if(answer.endpoints, [](const tcp::endpoint& each) {
            return !each.address().is_loopback();
        });
        if (removed > 0) fault_ = "plain HTTP goes to loopback only";
    }
    endpoints_ = by_turns(std::move(answer.endpoints));
    try_next();
}

void Dialer::try_next() {
    if (next_ == endpoints_.size()) return end(nullptr);
    const auto endpoint = endpoints_[next_++];
    error_code ignored;
    socket_.close(ignored);
    // One share more than addresses is left to what comes after.
    const auto shares = static_cast<std::int64_t>(endpoints_.size()) + 1;
    const auto share = next_ == endpoints_.size() ? connect_max_ : connect_max_ / shares;
    alarm_.call(share, [weak = weak_from_this(), attempt = next_] {
        const auto self = weak.lock();
        if (!self || self->next_ != attempt || !self->done_) return;
        error_code none;
        self->socket_.cancel(none);
    });
    socket_.async_connect(endpoint, [self = shared_from_this()](error_code fault) {
        if (!self->done_) return;
        if (!fault) return self->end(&self->socket_);
        self->fault_ = fault == asio::error::operation_aborted ? "connecting took too long"
                                                               : "connecting: " + fault.message();
        self->try_next();
    });
}

void Dialer::end(tcp::socket* socket) {
    alarm_.cancel();
    const auto done = std::exchange(done_, nullptr);
    lookup_.cancel();
    if (done) done(socket, fault_);
}

void Dialer::cancel() {
    done_ = nullptr;
    alarm_.cancel();
    lookup_.cancel();
    error_code ignored;
    socket_.close(ignored);
}

}  // namespace fanfare
