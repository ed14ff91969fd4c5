#include "producer/api/shown.hpp"

#include "producer/api/reply.hpp"

#include <boost/json/parse.hpp>

namespace fanfare::api {
namespace {

boost::json::value parsed(const std::string& text) {
    boost::system::error_code fault;
    auto value = boost::json::parse(text, fault);
    if (fault) return nullptr;
    return value;
}

std::int64_t count_of(const ledger::ChannelProgress& channel, Outcome outcome) {
    return channel.outcomes[static_cast<std::size_t>(outcome)];
}

/// A clicked message was opened, an opened one delivered, a delivered one sent.
boost::json::object rates_of(const ledger::ChannelProgress& channel) {
    const auto clicked = count_of(channel, Outcome::clicked);
    const auto opened = clicked + count_of(channel, Outcome::opened);
    const auto told =
        opened + count_of(channel, Outcome::delivered) + count_of(channel, Outcome::sent);
    const auto share = [told](std::int64_t part) {
        return told == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(told);
    };
    return {{"opened", share(opened)}, {"clicked", share(clicked)}};
}

}  // namespace

boost::json::object shown(const ledger::NotificationDetail& detail) {
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
            {"created_at", detail.created_at},
            {"updated_at", detail.updated_at}};
}

boost::json::array shown(std::span<const ledger::ChannelProgress> channels) {
    boost::json::array list;
    for (const auto& channel : channels) {
        boost::json::object outcomes;
        for (std::size_t i = 0; i < outcome_count; ++i) {
            outcomes[text(to_string(static_cast<Outcome>(i)))] = channel.outcomes[i];
        }
        list.push_back(boost::json::object{{"channel", channel.channel},
                                           {"planned", channel.planned},
                                           {"outcomes", std::move(outcomes)},
                                           {"rates", rates_of(channel)}});
    }
    return list;
}

}  // namespace fanfare::api
