#include "producer/api/creation.hpp"

#include "core/ledger/api_jobs.hpp"
#include "producer/api/reply.hpp"

#include <boost/json/object.hpp>

namespace fanfare::api {

namespace asio = boost::asio;

asio::awaitable<HttpReply> create_job(const Parts& parts, const Caller& caller, Order& order) {
    settle_expiry(order.job, parts.clock.now());
    ledger::NewRequest request;
    request.owner = caller.owner;
    request.key = order.key;
    request.digest = order.digest;
    request.job = order.job.id;
    request.body = encode_job(order.job);
    std::string remembering{"remember an order"};
    auto remember = [&request](postgres::Connection& ledger) {
        return ledger::remember_request(ledger, request);
    };
    auto remembered = co_await parts.ledger.run(std::move(remembering), remember);
    if (!remembered) co_return unavailable(remembered.error());
    const auto& known = remembered.value();
    if (!known.same) {
        co_return refusal(409, "key_reused",
                          "This idempotency key was used for something else; take a new one.");
    }
    if (!known.published) {
        std::string job = known.job;
        std::string body = known.body;
        const bool stored = co_await parts.publish(std::move(job), std::move(body));
        if (!stored) {
            auto reply = refusal(503, "unavailable",
                                 "The broker did not answer; send it again with the same key.");
            reply.headers.emplace_back("Retry-After", "5");
            co_return reply;
        }
        std::string marking{"mark an order as published"};
        auto mark = [&request](postgres::Connection& ledger) {
            ledger::mark_request_published(ledger, request.owner, request.key);
        };
        // Unmarked it is published once more with the next try, as the same job.
        const auto marked = co_await parts.ledger.run(std::move(marking), mark);
        static_cast<void>(marked);
    }
    const boost::json::object document{{"id", known.job}, {"state", "accepted"}};
    auto reply = reply_with(202, document);
    reply.headers.emplace_back("Location", "/v1/jobs/" + known.job);
    co_return reply;
}

}  // namespace fanfare::api
