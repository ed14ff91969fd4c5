#include "producer/api/estimate.hpp"

#include "core/audience/channels.hpp"
#include "core/audience/source.hpp"
#include "core/estimate/audience_estimate.hpp"
#include "core/estimate/money.hpp"
#include "core/ledger/account_states.hpp"
#include "core/rendering/preview_renderer.hpp"
#include "core/rendering/segments.hpp"
#include "producer/api/fields.hpp"
#include "producer/api/own_templates.hpp"
#include "producer/api/owners.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/to_json.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::int64_t moments_max = 10'000;
constexpr std::int64_t people_max = 1'000'000'000;

/// Everybody reachable, and a text of so many segments as this job's is for a sample person.
AudienceEstimate assumed(const Templates& templates, const Kind& kind, const Job& job,
                         std::int64_t people, TimePoint now) {
    AudienceEstimate estimate{.people = people, .looked_at = people, .channels = {}};
    for (const auto channel : job.channels) {
        auto& found = estimate.channels[static_cast<std::size_t>(channel)];
        found.messages = people;
        if (channel != Channel::sms) continue;
        const auto written = render_preview(templates, kind, channel, job.data, {}, "", now);
        const auto segments =
            written ? static_cast<std::int64_t>(count_segments(written.value().text).count) : 1;
        found.segments = people * segments;
    }
    return estimate;
}

json::object to_document(const Terms& terms, const Job& job, const Kind& kind,
                         const AudienceEstimate& estimate, std::int64_t moments, bool exact) {
    json::object channels;
    Micros total = 0;
    for (const auto channel : channels_used(job, kind)) {
        const auto index = static_cast<std::size_t>(channel);
        const auto& found = estimate.channels[index];
        total += total_cost(count_units(found, channel), moments,
                            to_micros(terms.settings.costs[index]));
        auto one = to_json(found, channel, moments, terms);
        channels[text(to_string(channel))] = std::move(one);
    }
    return {{"people", estimate.people},
            {"moments", moments},
            {"exact", exact},
            {"currency", "USD"},
            {"channels", std::move(channels)},
            {"cost", dollars(total)}};
}

asio::awaitable<Result<Terms>> terms_now(const ApiContext& parts) {
    std::string doing{"look up rates"};
    auto look = [&](postgres::Connection& ledger) {
        return Terms{parts.settings, ledger::rates_by_hand(ledger)};
    };
    co_return co_await parts.reading.run(std::move(doing), look);
}

asio::awaitable<HttpReply> estimate(const ApiContext& parts, const HttpCall& call,
                                    const Caller& caller) {
    Fields fields{call.body, {"job", "moments", "people"}};
    const auto moments = fields.whole_or("moments", 1, moments_max, 1);
    const auto people = fields.whole_or("people", 0, people_max, -1);
    const auto* const draft = fields.find("job");
    if (auto fault = fields.fault()) co_return std::move(*fault);
    if (draft == nullptr) co_return refusal(422, "missing_field", "/job: is missing; send it");
    auto read = read_draft(*draft, caller, parts.known());
    if (auto* const reply = std::get_if<HttpReply>(&read)) co_return std::move(*reply);
    auto& job = std::get<Job>(read);
    const auto& system = parts.systems.find(job.system)->second;
    const auto& kind = *system.find_kind(job.kind);
    ledger::TemplatesKey key{job.system, job.kind, caller.owner};
    const auto templates = co_await templates_now(parts, std::move(key), kind);
    if (!templates) co_return unavailable(templates.error());
    const auto terms = co_await terms_now(parts);
    if (!terms) co_return unavailable(terms.error());
    if (people >= 0) {
        const auto estimate = assumed(templates.value(), kind, job, people, parts.clock.now());
        const auto document = to_document(terms.value(), job, kind, estimate, moments, true);
        co_return reply_with(200, document);
    }
    if (job.recipients.empty() && system.find_audience(job.audience) == nullptr) {
        co_return refusal(422, "unknown_audience", "/audience/name: cannot be surveyed");
    }
    const bool owners_list = caller.owner_bound && !job.recipients.empty();
    auto work = [&](postgres::Connection& ledger) -> std::optional<AudienceEstimate> {
        const auto& url = database_for(parts.settings, system);
        const postgres::Limits limits{.statement_timeout = system.statement_timeout,
                                      .read_only = true};
        postgres::Connection source{url, limits};
        if (owners_list) {
            job.recipients = people_of_owner(source, system, caller.owner, job.recipients);
            if (job.recipients.empty()) return std::nullopt;
        }
        postgres::Connection lookup{url, limits};
        const AudienceEstimator::Parts of_estimate{source, lookup, ledger, templates.value(),
                                                   parts.clock.now()};
        return AudienceEstimator{of_estimate, system, kind, job}.run();
    };
    std::string client = caller.client;
    const auto turn = co_await parts.turns.take(std::move(client));
    if (!turn) co_return busy();
    std::string doing{"survey an audience"};
    auto looked_at = co_await parts.surveying.run(std::move(doing), work);
    if (!looked_at && caller.owner_bound && looked_at.error().code == Errc::store_data) {
        co_return no_such_owner();
    }
    if (!looked_at) co_return unavailable(looked_at.error());
    if (!looked_at.value()) co_return nobody_of_owner();
    auto& estimate = *looked_at.value();
    const bool exact = estimate.looked_at == estimate.people;
    for (auto& found : estimate.channels) scale(found, estimate.people, estimate.looked_at);
    const auto document = to_document(terms.value(), job, kind, estimate, moments, exact);
    co_return reply_with(200, document);
}

}  // namespace

void add_estimate_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    routes.post("/v1/estimate", Scope::preview,
                [&parts](const HttpCall& call, const Caller& caller) {
                    return estimate(parts, call, caller);
                });
}

}  // namespace fanfare::api
