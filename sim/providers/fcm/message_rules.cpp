#include "sim/providers/fcm/message_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

constexpr std::size_t payload_bytes_max = 4'096;
constexpr std::size_t topic_payload_bytes_max = 2'048;

const json::object* object_member(const json::object& object, std::string_view name) {
    const auto* value = member(object, name);
    return value == nullptr ? nullptr : value->if_object();
}

bool is_reserved(std::string_view key) {
    return key == "from" || key == "message_type" || key.starts_with("google.") ||
           key.starts_with("gcm.notification.");
}

Violation check_keys(const json::object& owner, std::string_view where) {
    const auto* data = object_member(owner, "data");
    if (data == nullptr) return {};
    for (const auto& entry : *data) {
        if (is_reserved(entry.key())) {
            return {fmt::format("{}.data[{}]", where, std::string_view{entry.key()}),
                    fmt::format("Invalid data payload key: {}", std::string_view{entry.key()})};
        }
    }
    return {};
}

std::size_t text_bytes(const json::object* object) {
    std::size_t bytes = 0;
    if (object == nullptr) return 0;
    for (const auto& entry : *object) {
        bytes += entry.key().size();
        if (const auto* text = entry.value().if_string()) bytes += text->size();
    }
    return bytes;
}

std::size_t payload_bytes(const json::object& message) {
    auto data = text_bytes(object_member(message, "data"));
    auto notification = text_bytes(object_member(message, "notification"));
    if (const auto* android = object_member(message, "android")) {
        data = std::max(data, text_bytes(object_member(*android, "data")));
        notification = std::max(notification, text_bytes(object_member(*android, "notification")));
    }
    return data + notification;
}

bool is_topic(std::string_view topic) {
    return !topic.empty() && std::all_of(topic.begin(), topic.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view{"-_.~%"}.find(c) != std::string_view::npos;
    });
}

}  // namespace

bool is_registration_token(std::string_view token) noexcept {
    return !token.empty() && token.size() <= 4'096 && !token.starts_with("bad-") &&
           std::all_of(token.begin(), token.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '-' || c == '_' || c == ':' || c == '.';
           });
}

Violation check_message(const json::object& message) {
    const auto* topic = member(message, "topic");
    const auto targets = (topic != nullptr) + (member(message, "token") != nullptr) +
                         (member(message, "condition") != nullptr);
    if (targets != 1) {
        return {"message", "Exactly one of token, topic or condition is required"};
    }
    if (topic != nullptr && !is_topic(topic->get_string())) {
        return {"message.topic", "Invalid topic name"};
    }
    if (auto bad = check_keys(message, "message"); !bad.description.empty()) return bad;
    if (const auto* android = object_member(message, "android")) {
        if (auto bad = check_keys(*android, "message.android"); !bad.description.empty()) {
            return bad;
        }
    }
    if (const auto* apns = object_member(message, "apns")) {
        const auto* headers = object_member(*apns, "headers");
        const auto* id = headers == nullptr ? nullptr : headers->if_contains("apns-collapse-id");
        if (id != nullptr && id->get_string().size() > 64) {
            return {"message.apns.headers", "apns-collapse-id must not exceed 64 bytes"};
        }
    }
    const auto max = topic != nullptr ? topic_payload_bytes_max : payload_bytes_max;
    if (payload_bytes(message) > max) return {"message", "Message is too big"};
    return {};
}

}  // namespace fanfare::sim
