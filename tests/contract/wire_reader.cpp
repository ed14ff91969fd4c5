#include "tests/contract/wire_reader.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <set>

namespace fanfare::testing {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string decode_percent(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%' || i + 2 >= text.size()) {
            out.push_back(text[i] == '+' ? ' ' : text[i]);
            continue;
        }
        out.push_back(static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
        i += 2;
    }
    return out;
}

void flatten_json(const boost::json::value& value, const std::string& path,
                  std::map<std::string, std::string>& out) {
    if (const auto* const object = value.if_object()) {
        for (const auto& [key, member] : *object) {
            flatten_json(member, path.empty() ? std::string{key} : path + "." + std::string{key},
                         out);
        }
    } else if (const auto* const text = value.if_string()) {
        out[path] = std::string{*text};
    } else {
        out[path] = boost::json::serialize(value);
    }
}

std::string header(const HttpRequest& request, std::string_view name) {
    std::string found;
    for (const auto& line : request.headers) {
        if (line.find_first_of("\r\n") != std::string::npos) return "more than one line";
        if (!line.starts_with(std::string{name} + ": ")) continue;
        if (!found.empty()) return "twice";
        found = line.substr(name.size() + 2);
    }
    return found;
}

std::vector<std::pair<std::string, std::string>> read_form(std::string_view body) {
    std::vector<std::pair<std::string, std::string>> fields;
    while (!body.empty()) {
        const auto field = body.substr(0, body.find('&'));
        const auto equals = field.find('=');
        if (equals == std::string_view::npos) return {};
        fields.emplace_back(decode_percent(field.substr(0, equals)),
                            decode_percent(field.substr(equals + 1)));
        body.remove_prefix(std::min(field.size() + 1, body.size()));
    }
    return fields;
}

Reading read_twilio(const HttpRequest& request) {
    static const std::set<std::string> known{"To",   "From",           "MessagingServiceSid",
                                             "Body", "StatusCallback", "ValidityPeriod"};
    if (header(request, "Content-Type") != "application/x-www-form-urlencoded") {
        return {{}, "content type"};
    }
    Delivery delivery;
    for (const auto& [name, value] : read_form(request.body)) {
        if (!known.contains(name)) return {{}, "unknown field " + name};
        if (!delivery.seen.emplace(name, value).second) return {{}, "repeated field " + name};
    }
    if (!delivery.seen.contains("To") || !delivery.seen.contains("Body")) {
        return {{}, "field missing"};
    }
    delivery.address = delivery.seen.at("To");
    delivery.seen["text"] = delivery.seen.at("Body");
    delivery.seen.erase("Body");
    return {{delivery}, ""};
}

Reading read_fcm(const HttpRequest& request) {
    boost::json::error_code error;
    const auto parsed = boost::json::parse(request.body, error);
    if (error || !parsed.is_object()) return {{}, "not JSON"};
    Delivery delivery;
    flatten_json(parsed, "", delivery.seen);
    for (const auto& [name, value] : delivery.seen) {
        if (!name.starts_with("message.")) return {{}, "unknown field " + name};
    }
    // The parser keeps the last of repeated keys: a hidden one makes the text shorter.
    if (boost::json::serialize(parsed).size() != request.body.size()) {
        return {{}, "repeated keys"};
    }
    if (!delivery.seen.contains("message.token")) return {{}, "token missing"};
    delivery.address = delivery.seen.at("message.token");
    delivery.seen["subject"] = delivery.seen["message.notification.title"];
    delivery.seen["text"] = delivery.seen["message.notification.body"];
    return {{delivery}, ""};
}

}  // namespace fanfare::testing
