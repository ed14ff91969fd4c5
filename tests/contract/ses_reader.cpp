#include "tests/contract/wire_reader.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <set>

namespace fanfare::testing {
namespace {

using boost::json::object;

const std::set<std::string> call_fields{"FromEmailAddress", "ConfigurationSetName",
                                        "DefaultContent", "DefaultEmailTags", "BulkEmailEntries"};
const std::set<std::string> entry_fields{"Destination", "ReplacementEmailContent",
                                         "ReplacementTags", "ReplacementHeaders"};

bool is_tag_value(std::string_view text) {
    return !text.empty() && text.size() <= 256 && std::all_of(text.begin(), text.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
    });
}

/// One pass from left to right, as Handlebars reads: {{name}} only, and a backslash before it
/// would take its meaning away. Anything else with braces ends in an error.
std::string filled(std::string_view text, const object& data, std::string& error) {
    std::string out;
    while (true) {
        const auto open = text.find("{{");
        out.append(text.substr(0, open));
        if (open == std::string_view::npos) return out;
        const auto close = text.find("}}", open);
        if (close == std::string_view::npos) {
            error = "a slot without end";
            return out;
        }
        const auto name = text.substr(open + 2, close - open - 2);
        const auto* const value = data.if_contains({name.data(), name.size()});
        if (out.ends_with('\\')) error = "an escaped slot";
        if (out.ends_with('{') || text.substr(close + 2).starts_with('}')) error = "three braces";
        if (value == nullptr) {
            error = "nothing for the slot " + std::string{name};
            return out;
        }
        // Not looked at again: a value may hold braces. But it must not look like ours.
        std::string shown{value->as_string()};
        text.remove_prefix(close + 2);
        const bool is_sign = shown == "{" || shown == "}" || shown == "\\";
        out.append(is_sign ? "\x01" + shown : shown).append("\x02");
    }
}

/// Takes the marks away that kept values apart from the template while it was read.
std::string unmarked(std::string text) {
    std::erase_if(text, [](char c) { return c == '\x01' || c == '\x02'; });
    return text;
}

void show_list(const object& entry, const char* list, Delivery& delivery, std::string& error) {
    if (!entry.contains(list)) return;
    for (const auto& each : entry.at(list).as_array()) {
        const std::string name{each.at("Name").as_string()};
        const std::string value{each.at("Value").as_string()};
        const bool is_tag = std::string_view{list}.ends_with("Tags");
        if (is_tag ? !is_tag_value(value) : value.size() + name.size() > 996) error = name;
        delivery.seen[list + std::string{"."} + name] = value;
    }
}

Reading read_call(const object& call) {
    Reading reading;
    for (const auto& [name, value] : call) {
        if (!call_fields.contains(std::string{name})) return {{}, "unknown field"};
    }
    const auto& shared = call.at("DefaultContent").at("Template").as_object();
    const auto& content = shared.at("TemplateContent").as_object();
    const auto& entries = call.at("BulkEmailEntries").as_array();
    if (entries.empty() || entries.size() > 50) return {{}, "1 to 50 entries"};
    for (const auto& each : entries) {
        const auto& entry = each.as_object();
        for (const auto& [name, value] : entry) {
            if (!entry_fields.contains(std::string{name})) return {{}, "unknown field"};
        }
        const auto& text = entry.at("ReplacementEmailContent")
                               .at("ReplacementTemplate")
                               .at("ReplacementTemplateData")
                               .as_string();
        boost::json::error_code error;
        const auto data = boost::json::parse(text, error);
        if (error || !data.is_object()) return {{}, "data is no JSON"};
        Delivery delivery;
        for (const auto& [part, name] : {std::pair{"Subject", "subject"}, std::pair{"Text", "text"},
                                         std::pair{"Html", "html"}}) {
            if (!content.contains(part)) continue;
            const auto& source = content.at(part).as_string();
            if (source.empty()) reading.error = "an empty part";
            delivery.seen[name] = unmarked(filled(source, data.get_object(), reading.error));
        }
        show_list(entry, "ReplacementTags", delivery, reading.error);
        show_list(entry, "ReplacementHeaders", delivery, reading.error);
        show_list(call, "DefaultEmailTags", delivery, reading.error);
        const auto& destination = entry.at("Destination").as_object();
        const auto& to = destination.at("ToAddresses").as_array();
        delivery.seen["to"] = boost::json::serialize(destination);
        for (const auto& one : to) {
            delivery.address = one.as_string();
            reading.deliveries.push_back(delivery);
        }
    }
    return reading;
}

}  // namespace

Reading read_ses(const HttpRequest& request) {
    if (header(request, "Content-Type") != "application/json") return {{}, "content type"};
    if (!header(request, "Authorization").starts_with("AWS4-HMAC-SHA256 Credential=")) {
        return {{}, "no signature"};
    }
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
