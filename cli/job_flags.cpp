#include "cli/job_flags.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <optional>

namespace fanfare::cli {
namespace {

namespace json = boost::json;

/// Reads "name=value" pairs into an object; the first fault, if any.
std::optional<FlagFault> read_pairs(const std::vector<std::string>& pairs, const char* flag,
                                    json::object& object) {
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        const auto& pair = pairs[i];
        const auto sign = pair.find('=');
        if (sign == std::string::npos || sign == 0) {
            return FlagFault{
                fmt::format("{} number {} has no \"=\": write name=value", flag, i + 1)};
        }
        const auto name = pair.substr(0, sign);
        if (!object.emplace(name, pair.substr(sign + 1)).second) {
            return FlagFault{
                fmt::format("{} number {} gives a name that was given before", flag, i + 1)};
        }
    }
    return std::nullopt;
}

json::array array_of(const std::vector<std::string>& texts) {
    return json::array(texts.begin(), texts.end());
}

std::optional<FlagFault> read_audience(const JobFlags& flags, json::object& message) {
    json::object audience;
    if (!flags.audience.empty()) audience["name"] = flags.audience;
    if (!flags.recipients.empty()) audience["recipients"] = array_of(split_list(flags.recipients));
    json::object params;
    if (auto fault = read_pairs(flags.params, "--param", params)) return fault;
    if (!params.empty()) audience["params"] = std::move(params);
    if (!audience.empty()) message["audience"] = std::move(audience);
    return std::nullopt;
}

}  // namespace

std::vector<std::string> split_list(const std::string& text) {
    std::vector<std::string> items;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const auto end = std::min(text.find_first_of(",\n", begin), text.size());
        const auto item = text.substr(begin, end - begin);
        const auto first = item.find_first_not_of(" \t\r");
        if (first != std::string::npos) {
            items.push_back(item.substr(first, item.find_last_not_of(" \t\r") - first + 1));
        }
        begin = end + 1;
    }
    return items;
}

std::variant<std::string, FlagFault> job_message(const JobFlags& flags) {
    json::object message{{"version", 1}, {"source", "cli"}};
    const auto give = [&message](const char* name, const std::string& text) {
        if (!text.empty()) message[name] = text;
    };
    give("idempotency_key", flags.key);
    give("system", flags.system);
    give("kind", flags.kind);
    give("lane", flags.lane);
    give("expires_at", flags.expires_at);
    if (flags.ttl_s != 0) message["ttl_s"] = flags.ttl_s;
    if (auto fault = read_audience(flags, message)) return *fault;
    json::array channels;
    for (const auto& list : flags.channels) {
        for (const auto& channel : split_list(list)) channels.emplace_back(channel);
    }
    if (!channels.empty()) message["channels"] = std::move(channels);
    json::object data;
    if (auto fault = read_pairs(flags.data, "--data", data)) return *fault;
    if (!data.empty()) message["data"] = std::move(data);
    return json::serialize(message);
}

}  // namespace fanfare::cli
