#include "producer/api/to_json.hpp"

#include "core/domain/explain.hpp"
#include "core/estimate/money.hpp"
#include "producer/api/reply.hpp"

#include <boost/json/parse.hpp>

namespace fanfare::api {

boost::json::value parsed(const std::string& text) {
    boost::system::error_code fault;
    auto value = boost::json::parse(text, fault);
    if (fault) return nullptr;
    return value;
}

namespace {

std::int64_t count(const ledger::ChannelProgress& channel, Outcome outcome) {
    return channel.outcomes[static_cast<std::size_t>(outcome)];
}

/// A clicked message was opened, an opened one delivered, a delivered one sent.
boost::json::object rates_to_json(const ledger::ChannelProgress& channel) {
    const auto clicked = count(channel, Outcome::clicked);
    const auto opened = clicked + count(channel, Outcome::opened);
    const auto told = opened + count(channel, Outcome::delivered) + count(channel, Outcome::sent);
    const auto share = [told](std::int64_t part) {
        return told == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(told);
    };
    return {{"opened", share(opened)}, {"clicked", share(clicked)}};
}

}  // namespace

boost::json::object to_json(const ledger::NotificationDetail& detail) {
    return {{"id", detail.id},
            {"system", detail.key.system},
            {"kind", detail.key.kind},
            {"subject", ledger::plain_subject(detail.key.subject)},
            {"occurrence", detail.key.occurrence},
            {"due_at", detail.due_at},
            {"expires_at", text_or_null(detail.expires_at)},
            {"params", parsed(detail.params)},
            {"data", parsed(detail.data)},
            {"state", detail.state},
            {"origin", detail.origin},
            {"source", detail.source},
            {"cancelled_by", text_or_null(detail.cancelled_by)},
            {"changed_by", text_or_null(detail.changed_by)},
            {"created_at", detail.created_at},
            {"updated_at", detail.updated_at}};
}

boost::json::array to_json(std::span<const ledger::ChannelProgress> channels) {
    boost::json::array list;
    for (const auto& channel : channels) {
        boost::json::object outcomes;
        for (std::size_t i = 0; i < outcome_count; ++i) {
            outcomes[text(to_string(static_cast<Outcome>(i)))] = channel.outcomes[i];
        }
        list.push_back(boost::json::object{{"channel", channel.channel},
                                           {"planned", channel.planned},
                                           {"outcomes", std::move(outcomes)},
                                           {"rates", rates_to_json(channel)}});
    }
    return list;
}

boost::json::object to_json(const ledger::ChannelFate& fate) {
    return {{"channel", fate.channel},
            {"outcome", text(to_string(fate.outcome))},
            {"reason", text(to_string(fate.reason))},
            {"cause", text(to_string(fate.cause))},
            {"why", text(explain(fate.outcome, fate.reason, fate.cause))},
            {"provider_id", text_or_null(fate.provider_id)},
            {"account", text_or_null(fate.account)},
            {"attempts", fate.attempts},
            {"updated_at", fate.updated_at}};
}

boost::json::object to_json(const ChannelEstimate& found, Channel channel, std::int64_t moments,
                            const Terms& terms) {
    namespace json = boost::json;
    const auto units = count_units(found, channel);
    const auto price = to_micros(terms.settings.costs[static_cast<std::size_t>(channel)]);
    const auto limit = find_limit(terms, channel);
    json::value seconds;
    if (limit > 0) seconds = static_cast<double>(units) / limit;
    json::object one{{"messages", found.messages},
                     {"left_out", json::object{{"no_address", found.no_address},
                                               {"invalid_address", found.invalid_address},
                                               {"opted_out", found.opted_out},
                                               {"too_often", found.too_often},
                                               {"suppressed", found.suppressed},
                                               {"duplicates", found.duplicates}}},
                     {"cost", dollars(total_cost(units, moments, price))},
                     {"seconds", std::move(seconds)}};
    if (channel == Channel::sms) one["segments"] = found.segments;
    return one;
}

}  // namespace fanfare::api
