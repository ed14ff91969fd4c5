#include "producer/api/estimate.hpp"

#include "core/audience/channels.hpp"
#include "producer/api/draft.hpp"
#include "producer/api/fields.hpp"
#include "producer/api/money.hpp"
#include "producer/api/own_templates.hpp"
#include "producer/api/owners.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/source.hpp"
#include "producer/api/survey.hpp"
#include "worker/rendering/segments.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cmath>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::int64_t moments_max = 10'000;
constexpr std::int64_t people_max = 1'000'000'000;

/// What all accounts of a channel may send in a second; 0 where one of them has no limit.
double limit_of(const Settings& settings, Channel channel) {
    double limit = 0;
    for (const auto& account : settings.accounts) {
        if (account.channel != channel || account.weight == 0) continue;
        if (account.rate.per_second <= 0) return 0;
        limit += account.rate.per_second;
    }
    return limit;
}

/// Everybody reachable, and a text of so many segments as this job's is for a sample person.
Survey assumed(const Templates& templates, const Kind& kind, const Job& job, std::int64_t people,
               TimePoint now) {
    Survey survey{.people = people, .surveyed = people, .channels = {}};
    for (const auto channel : job.channels) {
        auto& found = survey.channels[static_cast<std::size_t>(channel)];
        found.messages = people;
        if (channel != Channel::sms) continue;
        const auto written = write_draft(templates, kind, channel, job.data, {}, "", now);
        const auto segments =
            written ? static_cast<std::int64_t>(count_segments(written.value().text).count) : 1;
        found.segments = people * segments;
    }
    return survey;
}

/// Figures of the part that was looked at, for all of the audience.
void scale(Survey& survey) {
    if (survey.surveyed == 0 || survey.surveyed == survey.people) return;
    const auto factor = static_cast<double>(survey.people) / static_cast<double>(survey.surveyed);
    for (auto& found : survey.channels) {
        for (auto* const figure :
             {&found.messages, &found.segments, &found.no_address, &found.invalid_address,
              &found.opted_out, &found.too_often, &found.suppressed, &found.duplicates}) {
            *figure = std::llround(static_cast<double>(*figure) * factor);
        }
    }
}

json::object document_of(const Parts& parts, const Job& job, const Kind& kind, const Survey& survey,
                         std::int64_t moments, bool exact) {
    json::object channels;
    Micros total = 0;
    for (const auto channel : channels_used(job, kind)) {
        const auto index = static_cast<std::size_t>(channel);
        const auto& found = survey.channels[index];
        const auto units = channel == Channel::sms ? found.segments : found.messages;
        const auto cost = cost_of(units, moments, micros_of(parts.settings.costs[index]));
        const auto limit = limit_of(parts.settings, channel);
        json::value seconds;
        if (limit > 0) seconds = static_cast<double>(units) / limit;
        total += cost;
        json::object one{{"messages", found.messages},
                         {"left_out", json::object{{"no_address", found.no_address},
                                                   {"invalid_address", found.invalid_address},
                                                   {"opted_out", found.opted_out},
                                                   {"too_often", found.too_often},
                                                   {"suppressed", found.suppressed},
                                                   {"duplicates", found.duplicates}}},
                         {"cost", dollars(cost)},
                         {"seconds", std::move(seconds)}};
        if (channel == Channel::sms) one["segments"] = found.segments;
        channels[text(to_string(channel))] = std::move(one);
    }
    return {{"people", survey.people},
            {"moments", moments},
            {"exact", exact},
            {"currency", "USD"},
            {"channels", std::move(channels)},
            {"cost", dollars(total)}};
}

asio::awaitable<HttpReply> estimate(const Parts& parts, const HttpCall& call,
                                    const Caller& caller) {
    Fields fields{call.body, {"job", "moments", "people"}};
    const auto moments = fields.whole_or("moments", 1, moments_max, 1);
    const auto people = fields.whole_or("people", 0, people_max, -1);
    const auto* const draft = fields.find("job");
    if (auto fault = fields.fault()) co_return std::move(*fault);
    if (draft == nullptr) co_return refusal(422, "missing_field", "/job: is missing; send it");
    const auto body = json::serialize(as_json(*draft));
    auto read = read_draft(body, caller, parts.known());
    if (auto* const reply = std::get_if<HttpReply>(&read)) co_return std::move(*reply);
    auto& job = std::get<Job>(read);
    const auto& system = parts.systems.find(job.system)->second;
    const auto& kind = *system.find_kind(job.kind);
    ledger::TemplatesKey key{job.system, job.kind, caller.owner};
    const auto templates = co_await templates_now(parts, std::move(key), kind);
    if (!templates) co_return unavailable(templates.error());
    if (people >= 0) {
        const auto survey = assumed(templates.value(), kind, job, people, parts.clock.now());
        const auto document = document_of(parts, job, kind, survey, moments, true);
        co_return reply_with(200, document);
    }
    if (job.recipients.empty() && system.find_audience(job.audience) == nullptr) {
        co_return refusal(422, "unknown_audience", "/audience/name: cannot be surveyed");
    }
    const bool owners_list = caller.owner_bound && !job.recipients.empty();
    auto work = [&](postgres::Connection& ledger) -> std::optional<Survey> {
        const auto& url = database_of(parts.settings, system);
        const postgres::Limits limits{.statement_timeout = system.statement_timeout,
                                      .read_only = true};
        postgres::Connection source{url, limits};
        if (owners_list) {
            job.recipients = people_of_owner(source, system, caller.owner, job.recipients);
            if (job.recipients.empty()) return std::nullopt;
        }
        postgres::Connection lookup{url, limits};
        const Surveyor::Parts of_survey{source, lookup, ledger, templates.value(),
                                        parts.clock.now()};
        return Surveyor{of_survey, system, kind, job}.run();
    };
    std::string client = caller.client;
    const auto turn = co_await parts.turns.take(std::move(client));
    if (!turn) co_return busy();
    std::string doing{"survey an audience"};
    auto surveyed = co_await parts.surveying.run(std::move(doing), work);
    if (!surveyed && caller.owner_bound && is_refused(surveyed.error().code)) {
        co_return no_such_owner();
    }
    if (!surveyed) co_return unavailable(surveyed.error());
    if (!surveyed.value()) co_return nobody_of_owner();
    auto& survey = *surveyed.value();
    const bool exact = survey.surveyed == survey.people;
    scale(survey);
    const auto document = document_of(parts, job, kind, survey, moments, exact);
    co_return reply_with(200, document);
}

}  // namespace

void add_estimate_routes(Door& door, const Parts& parts) {
    door.post("/v1/estimate", Scope::preview, [&parts](const HttpCall& call, const Caller& caller) {
        return estimate(parts, call, caller);
    });
}

}  // namespace fanfare::api
