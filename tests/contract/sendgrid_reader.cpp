#include "tests/contract/wire_reader.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <set>

namespace fanfare::testing {
namespace {

using boost::json::object;

const std::set<std::string> call_fields{"from",        "subject",          "content",
                                        "categories",  "personalizations", "tracking_settings",
                                        "ip_pool_name"};
const std::set<std::string> person_fields{"to", "custom_args", "substitutions", "headers"};

/// One pass for each tag in turn, as SendGrid may look at what it has already replaced.
std::string substituted(std::string text, const object& tags) {
    for (const auto& [tag, value] : tags) {
        const std::string to{value.as_string()};
        const std::string from{tag};
        for (auto at = text.find(from); at != std::string::npos;
             at = text.find(from, at + to.size())) {
            text.replace(at, from.size(), to);
        }
    }
    return text;
}

/// Complaints about an object of strings; "" for none.
std::string fault_of(const object& parent, const char* name, std::size_t bytes_max) {
    const auto* const value = parent.if_contains(name);
    if (value == nullptr) return "";
    if (!value->is_object()) return std::string{name} + " is no object";
    if (boost::json::serialize(*value).size() > bytes_max) return std::string{name} + " is too big";
    for (const auto& [key, member] : value->get_object()) {
        if (!member.is_string()) return std::string{name} + " holds no string";
    }
    return "";
}

std::string fault_of(const object& person) {
    for (const auto& [name, value] : person) {
        if (!person_fields.contains(std::string{name})) return "unknown field";
    }
    for (const char* const name : {"custom_args", "substitutions", "headers"}) {
        auto fault = fault_of(person, name, 10'000);
        if (!fault.empty()) return fault;
    }
    const auto& to = person.at("to").as_array();
    if (to.empty()) return "no recipient";
    std::set<std::string> addresses;
    for (const auto& one : to) {
        if (!addresses.emplace(one.at("email").as_string()).second) return "repeated address";
    }
    return "";
}

Reading read_call(const object& call) {
    Reading reading;
    for (const auto& [name, value] : call) {
        if (!call_fields.contains(std::string{name})) return {{}, "unknown field"};
    }
    const auto& people = call.at("personalizations").as_array();
    if (people.empty() || people.size() > 1000) return {{}, "1 to 1,000 personalizations"};
    for (const auto& each : people) {
        const auto& person = each.as_object();
        if (auto fault = fault_of(person); !fault.empty()) return {{}, fault};
        Delivery delivery;
        const auto& tags = person.at("substitutions").as_object();
        const auto show = [&](const std::string& name, const boost::json::string& text) {
            if (text.empty()) reading.error = name + " is empty";
            delivery.seen[name] = substituted(std::string{text}, tags);
        };
        show("subject", call.at("subject").as_string());
        for (const auto& part : call.at("content").as_array()) {
            const auto& type = part.at("type").as_string();
            show(type == "text/html" ? "html" : "text", part.at("value").as_string());
        }
        for (const char* const group : {"custom_args", "headers"}) {
            if (!person.contains(group)) continue;
            for (const auto& [name, value] : person.at(group).as_object()) {
                delivery.seen[group + std::string{"."} + std::string{name}] = value.as_string();
            }
        }
        delivery.seen["categories"] = boost::json::serialize(call.at("categories"));
        // Everyone in one `to` sees all of it, and gets the mail.
        const auto& to = person.at("to").as_array();
        delivery.seen["to"] = boost::json::serialize(to);
        for (const auto& one : to) {
            delivery.address = one.at("email").as_string();
            reading.deliveries.push_back(delivery);
        }
    }
    return reading;
}

}  // namespace

Reading read_sendgrid(const HttpRequest& request) {
    if (header(request, "Content-Type") != "application/json") return {{}, "content type"};
    if (!header(request, "Authorization").starts_with("Bearer ")) return {{}, "no key"};
    boost::json::error_code error;
    const auto parsed = boost::json::parse(request.body, error);
    if (error || !parsed.is_object()) return {{}, "not JSON"};
    try {
        return read_call(parsed.get_object());
    } catch (const std::exception&) {
        return {{}, "a field is missing or of another type"};
    }
}

}  // namespace fanfare::testing
