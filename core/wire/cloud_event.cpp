#include "core/wire/cloud_event.hpp"

#include "core/crypto/digest.hpp"
#include "core/domain/trace.hpp"
#include "core/settings/text_rules.hpp"
#include "core/wire/job_rejection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace fanfare {
namespace {

constexpr std::string_view type_header = "content-type";
constexpr std::string_view structured = "application/cloudevents+json";
constexpr std::string_view any_event = "application/cloudevents";
constexpr std::size_t attribute_bytes_max = 2'000;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_word(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [](char x, char y) { return lower(x) == lower(y); });
}

/// The media type without its parameters.
std::string_view media_type(std::string_view value) {
    value = value.substr(0, value.find(';'));
    while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
    return value;
}

std::optional<std::string_view> header(EventHeaders headers, std::string_view name) {
    for (const auto& [key, value] : headers) {
        if (same_word(key, name)) return value;
    }
    return std::nullopt;
}

std::optional<std::string_view> event_header(EventHeaders headers, std::string_view name) {
    auto found = header(headers, fmt::format("ce_{}", name));
    return found ? found : header(headers, fmt::format("ce-{}", name));
}

const JsonValue* find_field(const JsonValue& object, std::string_view name) {
    const auto found = std::find(object.keys.begin(), object.keys.end(), name);
    if (found == object.keys.end()) return nullptr;
    return &object.items[static_cast<std::size_t>(found - object.keys.begin())];
}

Rejection invalid(std::string_view at, std::string_view sentence) {
    return reject("invalid_event", at, sentence);
}

bool is_json(std::string_view content_type) {
    const auto type = media_type(content_type);
    return same_word(type, "application/json") || type.ends_with("+json");
}

/// What an event says of itself.
struct Attributes {
    std::string_view specversion, id, source, type, datacontenttype;
    std::string_view traceparent, tracestate;
};

std::optional<Rejection> check(const Attributes& event) {
    if (event.specversion != "1.0") {
        return invalid("/specversion", "is missing or not supported; send 1.0");
    }
    const auto plain = plain_text(1, attribute_bytes_max);
    if (!plain.accepts(event.id)) return invalid("/id", "is missing or not valid; send an id");
    if (!plain.accepts(event.source) || event.source.find(' ') != std::string_view::npos) {
        return invalid("/source", "is missing or no URI reference; send who the event is from");
    }
    if (std::find(job_event_types.begin(), job_event_types.end(), event.type) ==
        job_event_types.end()) {
        return reject("unknown_event_type", "/type", "is no type of event; send fanfare.job.v1");
    }
    if (!event.datacontenttype.empty() && !is_json(event.datacontenttype)) {
        return invalid("/datacontenttype", "is not JSON; send application/json");
    }
    return std::nullopt;
}

/// The first space ends the source, which has none: two events never share a key.
std::string compose_key(const Attributes& event) {
    auto key = fmt::format("{} {}", event.source, event.id);
    return key.size() <= Job::key_bytes_max ? key : derived_id(key);
}

std::string read_trace(const Attributes& event) {
    const auto context = parse_trace(event.traceparent, event.tracestate);
    return context ? encode_trace(*context) : std::string{};
}

std::variant<CloudEvent, Rejection> event_of_bytes(std::string_view bytes,
                                                   const Attributes& event) {
    auto parsed = parse_json(bytes);
    if (auto* const rejection = std::get_if<Rejection>(&parsed)) return std::move(*rejection);
    return CloudEvent{std::move(std::get<JsonValue>(parsed)), compose_key(event),
                      read_trace(event)};
}

std::variant<CloudEvent, Rejection> read_structured(std::string_view bytes) {
    auto parsed = parse_json(bytes);
    if (auto* const rejection = std::get_if<Rejection>(&parsed)) return std::move(*rejection);
    const auto& root = std::get<JsonValue>(parsed);
    if (!root.is_object()) return invalid("", "is no object; send one event");
    const auto text = [&root](std::string_view name) -> std::string_view {
        const auto* const value = find_field(root, name);
        return value != nullptr && value->is_string() ? std::string_view{value->text}
                                                      : std::string_view{};
    };
    const Attributes event{
        text("specversion"),     text("id"),          text("source"),    text("type"),
        text("datacontenttype"), text("traceparent"), text("tracestate")};
    if (auto rejection = check(event)) return std::move(*rejection);
    const auto* const data = find_field(root, "data");
    const auto* const encoded = find_field(root, "data_base64");
    if ((data == nullptr) == (encoded == nullptr)) {
        return invalid("/data", "is missing, or stands beside data_base64; send one of them");
    }
    if (data != nullptr) return CloudEvent{*data, compose_key(event), read_trace(event)};
    const auto decoded = encoded->is_string() && !encoded->text.empty()
                             ? base64_decoded(encoded->text)
                             : std::nullopt;
    if (!decoded) return invalid("/data_base64", "is not Base64; send the job as data");
    return event_of_bytes(*decoded, event);
}

}  // namespace

bool is_event_header(std::string_view name) {
    constexpr std::size_t prefix = 3;
    const auto begin = name.substr(0, prefix);
    return same_word(name, type_header) || same_word(begin, "ce_") || same_word(begin, "ce-");
}

bool is_cloud_event(EventHeaders headers) {
    const auto type = media_type(header(headers, type_header).value_or(""));
    return (type.size() >= any_event.size() &&
            same_word(type.substr(0, any_event.size()), any_event)) ||
           event_header(headers, "specversion").has_value();
}

std::variant<CloudEvent, Rejection> read_event(EventHeaders headers, std::string_view bytes) {
    const auto content_type = header(headers, type_header).value_or("");
    const auto type = media_type(content_type);
    if (same_word(type, structured)) return read_structured(bytes);
    const auto attribute = [headers](std::string_view name) {
        return event_header(headers, name).value_or(std::string_view{});
    };
    const Attributes event{attribute("specversion"), attribute("id"), attribute("source"),
                           attribute("type"),        content_type,    attribute("traceparent"),
                           attribute("tracestate")};
    if (auto rejection = check(event)) return std::move(*rejection);
    return event_of_bytes(bytes, event);
}

std::variant<Job, Rejection> decode_event(EventHeaders headers, std::string_view bytes,
                                          std::string* trace) {
    auto read = read_event(headers, bytes);
    if (auto* const rejection = std::get_if<Rejection>(&read)) return std::move(*rejection);
    auto& [data, key, came] = std::get<CloudEvent>(read);
    if (trace != nullptr) *trace = std::move(came);
    const bool is_named = !data.is_object() || find_field(data, "id") != nullptr ||
                          find_field(data, "idempotency_key") != nullptr;
    if (!is_named) {
        data.keys.emplace_back("idempotency_key");
        data.items.push_back({JsonValue::Shape::string, std::move(key), {}, {}});
    }
    return read_job(data);
}

std::variant<Job, Rejection> decode_record(EventHeaders headers, std::string_view bytes,
                                           std::string* trace) {
    return is_cloud_event(headers) ? decode_event(headers, bytes, trace) : decode_job(bytes);
}

}  // namespace fanfare
