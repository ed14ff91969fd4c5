#include "producer/api/fields.hpp"

#include "core/settings/text_rules.hpp"
#include "core/wire/job_rejection.hpp"
#include "core/wire/timestamp.hpp"
#include "producer/api/reply.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare::api {

Fields::Fields(std::string_view body, std::initializer_list<std::string_view> known) {
    auto parsed = parse_json(body);
    if (const auto* const rejection = std::get_if<Rejection>(&parsed)) {
        fault_ = refusal(*rejection);
        return;
    }
    root_ = std::move(std::get<JsonValue>(parsed));
    if (!root_.is_object()) {
        refuse("wrong_type", "", "send one object");
        return;
    }
    for (const auto& key : root_.keys) {
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            refuse("unknown_field", key, "is no field of this; remove it or mend its name");
        }
    }
    // A null may be a variable that was never set: left out, the order could mean everything.
    for (std::size_t i = 0; i < root_.keys.size(); ++i) {
        if (root_.items[i].shape != JsonValue::Shape::null) continue;
        refuse("wrong_type", root_.keys[i], "is null; say what is meant, or leave it out");
    }
}

void Fields::refuse(std::string_view code, std::string_view name, std::string_view sentence) {
    if (fault_) return;
    const auto rejection = reject(code, name.empty() ? "" : point_to("", name), sentence);
    fault_ = refusal(rejection);
}

const JsonValue* Fields::find(std::string_view name) const {
    for (std::size_t i = 0; i < root_.keys.size(); ++i) {
        if (root_.keys[i] != name) continue;
        return &root_.items[i];
    }
    return nullptr;
}

std::string Fields::text(std::string_view name, std::size_t bytes_max) {
    if (find(name) == nullptr) refuse("missing_field", name, "is missing; send it");
    return text_if_there(name, bytes_max);
}

std::string Fields::text_if_there(std::string_view name, std::size_t bytes_max) {
    const auto* const value = find(name);
    if (value != nullptr && value->is_string() && value->text.empty()) {
        refuse("invalid_value", name, "is empty");
    }
    return plain(name, 1, bytes_max, "");
}

std::string Fields::text_or(std::string_view name, std::size_t bytes_max,
                            std::string_view fallback) {
    return plain(name, 0, bytes_max, fallback);
}

std::string Fields::plain(std::string_view name, std::size_t bytes_min, std::size_t bytes_max,
                          std::string_view fallback) {
    const auto* const value = find(name);
    if (value == nullptr) return std::string{fallback};
    const auto rule = plain_text(bytes_min, bytes_max);
    if (!value->is_string()) {
        refuse("wrong_type", name, "is no text");
    } else if (!rule.accepts(value->text)) {
        refuse("invalid_value", name, fmt::format("is not valid; send {}", rule.bounds));
    }
    return value->text;
}

std::string Fields::moment(std::string_view name, bool required) {
    const auto written = required ? text(name, 40) : text_if_there(name, 40);
    if (written.empty()) return {};
    const auto moment = parse_timestamp(written);
    if (moment && moment->time_since_epoch().count() >= 0) return format_timestamp(*moment);
    refuse("invalid_timestamp", name,
           "is no moment; send ISO 8601 with a zone, such as 2026-11-20T19:30:00Z");
    return {};
}

std::int64_t Fields::whole_or(std::string_view name, std::int64_t min, std::int64_t max,
                              std::int64_t fallback) {
    const auto* const value = find(name);
    if (value == nullptr) return fallback;
    const auto number = value->is_number() ? parse_json_whole(value->text) : std::nullopt;
    if (number && *number >= min && *number <= max) return *number;
    refuse("invalid_value", name, fmt::format("is no whole number from {} to {}", min, max));
    return fallback;
}

std::optional<double> Fields::real_if_there(std::string_view name, double min, double max) {
    const auto* const value = find(name);
    if (value == nullptr) return std::nullopt;
    const auto number = value->is_number() ? parse_real(value->text) : std::nullopt;
    if (number && *number >= min && *number <= max) return number;
    refuse("invalid_value", name, fmt::format("is no number from {} to {}", min, max));
    return std::nullopt;
}

std::map<std::string, std::string> Fields::scalars(std::string_view name) {
    std::map<std::string, std::string> found;
    const auto* const value = find(name);
    if (value == nullptr) return found;
    if (!value->is_object()) refuse("wrong_type", name, "is no object");
    for (std::size_t i = 0; i < value->keys.size(); ++i) {
        if (!is_variable_name(value->keys[i])) {
            refuse("invalid_value", name, "has a name that is no variable's");
        } else if (!value->items[i].is_scalar()) {
            refuse("nested_value", name,
                   fmt::format("{} is no text, number or boolean", value->keys[i]));
        }
        found[value->keys[i]] = value->items[i].text;
    }
    return found;
}

std::optional<HttpReply> fault_of_empty(const HttpCall& call) {
    return call.body.empty() ? std::nullopt : Fields{call.body, {}}.fault();
}

}  // namespace fanfare::api
