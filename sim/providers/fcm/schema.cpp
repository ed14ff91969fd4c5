#include "sim/providers/fcm/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

using enum FieldKind;

constexpr FieldRule label_rules[] = {{"analytics_label", text}};
constexpr FieldRule apns_option_rules[] = {{"analytics_label", text}, {"image", text}};
constexpr FieldRule webpush_option_rules[] = {{"link", text}, {"analytics_label", text}};
constexpr FieldRule notification_rules[] = {{"title", text}, {"body", text}, {"image", text}};
constexpr FieldRule android_notification_rules[] = {
    {"title", text},
    {"body", text},
    {"icon", text},
    {"color", text},
    {"sound", text},
    {"tag", text},
    {"click_action", text},
    {"body_loc_key", text},
    {"body_loc_args", texts},
    {"title_loc_key", text},
    {"title_loc_args", texts},
    {"channel_id", text},
    {"ticker", text},
    {"sticky", boolean},
    {"event_time", text},
    {"local_only", boolean},
    {"notification_priority", choice,
     "PRIORITY_UNSPECIFIED PRIORITY_MIN PRIORITY_LOW PRIORITY_DEFAULT PRIORITY_HIGH PRIORITY_MAX"},
    {"default_sound", boolean},
    {"default_vibrate_timings", boolean},
    {"default_light_settings", boolean},
    {"vibrate_timings", texts},
    {"visibility", choice, "VISIBILITY_UNSPECIFIED PRIVATE PUBLIC SECRET"},
    {"notification_count", number},
    {"light_settings", free_object},
    {"image", text},
    {"bypass_proxy_notification", boolean},
    {"proxy", choice, "PROXY_UNSPECIFIED ALLOW DENY IF_PRIORITY_LOWERED"}};
constexpr FieldRule android_rules[] = {{"collapse_key", text},
                                       {"priority", choice, "NORMAL HIGH normal high"},
                                       {"ttl", duration},
                                       {"restricted_package_name", text},
                                       {"data", text_map},
                                       {"notification", record, {}, android_notification_rules},
                                       {"fcm_options", record, {}, label_rules},
                                       {"direct_boot_ok", boolean},
                                       {"bandwidth_constrained_ok", boolean},
                                       {"restricted_satellite_ok", boolean}};
constexpr FieldRule apns_rules[] = {{"headers", text_map},
                                    {"payload", free_object},
                                    {"live_activity_token", text},
                                    {"fcm_options", record, {}, apns_option_rules}};
constexpr FieldRule webpush_rules[] = {{"headers", text_map},
                                       {"data", text_map},
                                       {"notification", free_object},
                                       {"fcm_options", record, {}, webpush_option_rules}};
constexpr FieldRule message_rules[] = {{"name", text},
                                       {"data", text_map},
                                       {"notification", record, {}, notification_rules},
                                       {"android", record, {}, android_rules},
                                       {"webpush", record, {}, webpush_rules},
                                       {"apns", record, {}, apns_rules},
                                       {"fcm_options", record, {}, label_rules},
                                       {"token", text},
                                       {"topic", text},
                                       {"condition", text}};
constexpr FieldRule request_rules[] = {{"validate_only", boolean},
                                       {"message", record, {}, message_rules}};

std::string join(std::string_view where, std::string_view name) {
    return where.empty() ? std::string{name} : fmt::format("{}.{}", where, name);
}

bool is_duration(std::string_view value) {
    constexpr double max_s = 2'419'200;
    double seconds = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds,
                                              std::chars_format::fixed);
    return error == std::errc{} && end == value.data() + value.size() - 1 && *end == 's' &&
           seconds >= 0 && seconds <= max_s;
}

bool is_choice(std::string_view value, std::string_view choices) {
    const auto at = choices.find(value);
    return !value.empty() && at != choices.npos && (at == 0 || choices[at - 1] == ' ') &&
           (at + value.size() == choices.size() || choices[at + value.size()] == ' ');
}

bool is_number(const json::value& value) {
    if (value.is_int64()) return true;
    const auto* written = value.if_string();
    return written != nullptr && !written->empty() &&
           std::all_of(written->begin(), written->end(),
                       [](char c) { return c >= '0' && c <= '9'; });
}

bool is_text_map(const json::value& value) {
    const auto* map = value.if_object();
    return map != nullptr && std::all_of(map->begin(), map->end(), [](const auto& entry) {
               return entry.value().is_string();
           });
}

bool is_of_kind(const json::value& value, const FieldRule& rule) {
    const auto* words = value.if_string();
    switch (rule.kind) {
        case text:
            return words != nullptr;
        case boolean:
            return value.is_bool();
        case number:
            return is_number(value);
        case duration:
            return words != nullptr && is_duration(*words);
        case choice:
            return words != nullptr && is_choice(*words, rule.choices);
        case texts:
            return value.is_array() &&
                   std::all_of(value.get_array().begin(), value.get_array().end(),
                               [](const json::value& item) { return item.is_string(); });
        case text_map:
            return is_text_map(value);
        case free_object:
        case record:
            return value.is_object();
    }
    return false;
}

}  // namespace

std::span<const FieldRule> send_request_rules() noexcept { return request_rules; }

bool names_field(std::string_view given, std::string_view snake) noexcept {
    if (given == snake) return true;
    std::size_t at = 0;
    for (std::size_t i = 0; i < snake.size(); ++i, ++at) {
        char wanted = snake[i];
        if (wanted == '_' && i + 1 < snake.size()) {
            wanted = static_cast<char>(snake[++i] - ('a' - 'A'));
        }
        if (at >= given.size() || given[at] != wanted) return false;
    }
    return at == given.size();
}

const json::value* member(const json::object& object, std::string_view snake) noexcept {
    for (const auto& entry : object) {
        if (names_field(entry.key(), snake)) return &entry.value();
    }
    return nullptr;
}

Violation check_record(const json::object& object, std::span<const FieldRule> rules,
                       std::string_view where) {
    for (const auto& entry : object) {
        const std::string_view name{entry.key()};
        const auto rule = std::find_if(rules.begin(), rules.end(), [&](const FieldRule& one) {
            return names_field(name, one.name);
        });
        if (rule == rules.end()) {
            const auto place = where.empty() ? "" : fmt::format(" at '{}'", where);
            return {std::string{where},
                    fmt::format("Invalid JSON payload received. Unknown name \"{}\"{}: Cannot "
                                "find field.",
                                name, place)};
        }
        if (!is_of_kind(entry.value(), *rule)) {
            return {join(where, name), fmt::format("Invalid value at '{}'", join(where, name))};
        }
        if (rule->kind == record) {
            auto inner = check_record(entry.value().get_object(), rule->fields, join(where, name));
            if (!inner.description.empty()) return inner;
        }
    }
    return {};
}

}  // namespace fanfare::sim
