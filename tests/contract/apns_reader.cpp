#include "tests/contract/wire_reader.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <set>

namespace fanfare::testing {

Reading read_apns(const HttpRequest& request) {
    constexpr std::string_view before_token = "/3/device/";
    static const std::set<std::string> known{"content-type",   "authorization", "apns-topic",
                                             "apns-push-type", "apns-priority", "apns-collapse-id",
                                             "apns-expiration"};
    if (!request.http2) return {{}, "not HTTP/2"};
    Delivery delivery;
    for (const auto& line : request.headers) {
        const auto name = line.substr(0, line.find(": "));
        if (!known.contains(name)) return {{}, "unknown header " + name};
        delivery.seen[name] = header(request, name);
    }
    if (delivery.seen["apns-push-type"] != "alert") return {{}, "InvalidPushType"};
    if (delivery.seen["apns-topic"].empty()) return {{}, "MissingTopic"};
    if (delivery.seen["apns-collapse-id"].size() > 64) return {{}, "BadCollapseId"};
    if (!delivery.seen["authorization"].starts_with("bearer ")) {
        return {{}, "MissingProviderToken"};
    }
    const auto begin = request.url.find(before_token);
    if (begin == std::string::npos) return {{}, "BadPath"};
    const auto token = request.url.substr(begin + before_token.size());
    if (token.empty() || token.find_first_of("/?#:") != std::string::npos) {
        return {{}, "BadDeviceToken"};
    }
    delivery.address = decode_percent(token);

    boost::json::error_code error;
    const auto parsed = boost::json::parse(request.body, error);
    if (error || !parsed.is_object()) return {{}, "not JSON"};
    // The parser keeps the last of repeated keys: a hidden one makes the text shorter.
    if (boost::json::serialize(parsed).size() != request.body.size()) {
        return {{}, "repeated keys"};
    }
    flatten_json(parsed, "", delivery.seen);
    if (!delivery.seen.contains("aps.alert.body")) return {{}, "PayloadEmpty"};
    delivery.seen["subject"] = delivery.seen["aps.alert.title"];
    delivery.seen["text"] = delivery.seen["aps.alert.body"];
    return {{std::move(delivery)}, ""};
}

}  // namespace fanfare::testing
