#include "producer/api/create_job.hpp"

#include "core/audience/source.hpp"
#include "core/ledger/api_jobs.hpp"
#include "producer/api/owners.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/telling.hpp"
#include "producer/publishing/job_publisher.hpp"

#include <boost/json/object.hpp>

#include <algorithm>

namespace fanfare::api {

namespace asio = boost::asio;

namespace {

/// Of an owner's list: who of it is theirs.
asio::awaitable<std::optional<HttpReply>> keep_people_to_owner(const ApiContext& parts,
                                                               const Caller& caller, Job& job) {
    const auto& system = parts.systems.find(job.system)->second;
    auto look = [&](postgres::Connection&) {
        const postgres::Limits limits{.statement_timeout = system.statement_timeout,
                                      .read_only = true};
        postgres::Connection source{database_for(parts.settings, system), limits};
        return people_of_owner(source, system, caller.owner, job.recipients);
    };
    std::string doing{"look for an owner's people"};
    auto theirs = co_await parts.reading.run(std::move(doing), look);
    if (!theirs && theirs.error().code == Errc::store_data) co_return no_such_owner();
    if (!theirs) co_return unavailable(theirs.error());
    job.recipients = std::move(theirs.value());
    co_return std::nullopt;
}

/// How many of the `listed` are not in the job, which may be an earlier one of the same list.
std::size_t left_out_to_json(const std::string& body, std::size_t listed) {
    const auto decoded = decode_job(body);
    const auto* const job = std::get_if<Job>(&decoded);
    return job == nullptr ? 0 : listed - std::min(listed, job->recipients.size());
}

/// Hands it to the broker. Sent again with another trace it stays in that of the first time, which
/// has its span.
asio::awaitable<Result<void>> publish(const ApiContext& parts, const Job& job,
                                      const ledger::KnownRequest& known,
                                      std::optional<Span>& span) {
    std::string id = known.job;
    std::string body = known.body;
    std::string trace = known.trace;
    auto stored = co_await parts.publish(std::move(id), std::move(body), std::move(trace));
    if (span && known.is_new) {
        span->tell("fanfare.job", job.id);
        span->tell("fanfare.system", job.system);
        span->tell("fanfare.kind", job.kind);
        span->failed = !stored;
        parts.tracer->end(std::move(*span));
    }
    co_return stored;
}

/// What the broker would never take is refused for good, as a worker would refuse it.
asio::awaitable<HttpReply> not_published(const ApiContext& parts, const std::string& job,
                                         const Failure& failure) {
    bool is_refused = failure.code == Errc::kafka_too_large;
    if (is_refused) {
        std::string noting{"note a refused job"};
        const auto note = [&job](postgres::Connection& ledger) { refuse_too_large(ledger, job); };
        const auto noted = co_await parts.ledger.run(std::move(noting), note);
        is_refused = noted.has_value();
    }
    if (is_refused) {
        co_return refusal(422, "too_large",
                          "The broker takes no message of that size; order it in parts.");
    }
    auto reply =
        refusal(503, "unavailable", "The broker did not answer; send it again with the same key.");
    reply.headers.emplace_back("Retry-After", "5");
    co_return reply;
}

}  // namespace

asio::awaitable<HttpReply> create_job(const ApiContext& parts, const Caller& caller, Order& order) {
    auto begun = begin_span(parts.tracer, order.trace, "schedule", Span::Kind::producer);
    settle_expiry(order.job, parts.clock.now());
    const auto listed = caller.owner_bound ? order.job.recipients.size() : 0;
    if (listed > 0) {
        auto fault = co_await keep_people_to_owner(parts, caller, order.job);
        if (fault) co_return std::move(*fault);
    }
    auto denial = co_await untellable(parts, order.job);
    if (listed > 0 && order.job.recipients.empty()) denial = nobody_of_owner();
    ledger::NewRequest request;
    request.owner = caller.owner;
    request.key = order.key;
    request.digest = order.digest;
    request.job = order.job.id;
    request.body = encode_job(order.job);
    request.trace = std::move(begun.trace);
    std::string remembering{"remember an order"};
    const auto lost_after = parts.settings.producer.republish_after;
    // Sent again it is what it was, also when it would be refused by now.
    auto remember = [&](postgres::Connection& ledger) -> std::optional<ledger::KnownRequest> {
        if (denial) return ledger::find_request(ledger, request, lost_after);
        return ledger::remember_request(ledger, request, lost_after);
    };
    auto remembered = co_await parts.ledger.run(std::move(remembering), remember);
    if (!remembered) co_return unavailable(remembered.error());
    if (!remembered.value()) co_return std::move(*denial);
    const auto& known = *remembered.value();
    if (!known.same) {
        co_return refusal(409, "key_reused",
                          "This idempotency key was used for something else; take a new one.");
    }
    if (!known.refusal_code.empty()) co_return refusal(422, known.refusal_code, known.refusal);
    if (!known.published) {
        const auto stored = co_await publish(parts, order.job, known, begun.span);
        if (!stored) {
            auto reply = co_await not_published(parts, known.job, stored.error());
            co_return reply;
        }
        std::string marking{"mark an order as published"};
        auto mark = [&request](postgres::Connection& ledger) {
            ledger::mark_request_published(ledger, request.owner, request.key);
        };
        // Unmarked nobody would publish it again if the broker lost it: it is not accepted yet.
        // With the next try it is published once more, as the same job.
        const auto marked = co_await parts.ledger.run(std::move(marking), mark);
        if (!marked) co_return unavailable(marked.error());
    }
    boost::json::object document{{"id", known.job}, {"state", "accepted"}};
    if (listed > 0) document["left_out"] = left_out_to_json(known.body, listed);
    auto reply = reply_with(202, document);
    reply.headers.emplace_back("Location", "/v1/jobs/" + known.job);
    co_return reply;
}

}  // namespace fanfare::api
