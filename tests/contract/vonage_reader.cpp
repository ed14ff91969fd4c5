#include "tests/contract/wire_reader.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <set>

namespace fanfare::testing {
namespace {

bool is_number(std::string_view to) {
    return to.size() >= 7 && to.size() <= 15 &&
           std::all_of(to.begin(), to.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Reading one(Delivery delivery) {
    if (!delivery.seen.contains("to") || !delivery.seen.contains("text") ||
        !delivery.seen.contains("from")) {
        return {{}, "field missing"};
    }
    const auto to = delivery.seen.at("to");
    if (!is_number(to)) return {{}, "to is no number"};
    delivery.address = "+" + to;
    return {{std::move(delivery)}, ""};
}

/// What depends on the text as a whole changes with it, and is nothing the person sees.
void drop_of_text(Delivery& delivery) {
    for (const auto* const name : {"type", "sig", "sms.encoding_type"}) delivery.seen.erase(name);
}

}  // namespace

Reading read_vonage_sms(const HttpRequest& request) {
    static const std::set<std::string> known{"api_key", "api_secret", "callback", "client-ref",
                                             "from",    "sig",        "text",     "timestamp",
                                             "to",      "ttl",        "type"};
    if (header(request, "Content-Type") != "application/x-www-form-urlencoded") {
        return {{}, "content type"};
    }
    Delivery delivery;
    for (const auto& [name, value] : read_form(request.body)) {
        if (!known.contains(name)) return {{}, "unknown field " + name};
        if (!delivery.seen.emplace(name, value).second) return {{}, "repeated field " + name};
    }
    if (delivery.seen.contains("sig") == delivery.seen.contains("api_secret")) {
        return {{}, "32: neither or both of sig and secret"};
    }
    if (delivery.seen["client-ref"].size() > 40) return {{}, "client-ref too long"};
    if (delivery.seen["callback"].size() > 100) return {{}, "23: callback"};
    drop_of_text(delivery);
    return one(std::move(delivery));
}

Reading read_vonage_messages(const HttpRequest& request) {
    static const std::set<std::string> known{
        "message_type", "channel",         "from", "to", "text", "client_ref", "ttl",
        "webhook_url",  "webhook_version", "sms"};
    if (header(request, "Content-Type") != "application/json") return {{}, "content type"};
    boost::json::error_code error;
    const auto parsed = boost::json::parse(request.body, error);
    if (error || !parsed.is_object()) return {{}, "not JSON"};
    if (boost::json::serialize(parsed).size() != request.body.size()) return {{}, "repeated keys"};
    Delivery delivery;
    flatten_json(parsed, "", delivery.seen);
    for (const auto& [name, value] : parsed.get_object()) {
        if (!known.contains(std::string{name})) return {{}, "unknown field " + std::string{name}};
    }
    if (delivery.seen["message_type"] != "text" || delivery.seen["channel"] != "sms") {
        return {{}, "no SMS"};
    }
    if (delivery.seen["client_ref"].size() > 100) return {{}, "client_ref too long"};
    drop_of_text(delivery);
    return one(std::move(delivery));
}

}  // namespace fanfare::testing
