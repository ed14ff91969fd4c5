#include "core/tracing/span.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>

namespace fanfare {
namespace {

namespace json = boost::json;
constexpr int status_error = 2;

/// JSON's numbers would lose digits: 64 bits are text.
json::string nanoseconds(TimePoint moment) {
    return json::string{std::to_string(
        std::chrono::duration_cast<std::chrono::nanoseconds>(moment.time_since_epoch()).count())};
}

json::object attribute(const std::string& name, const Span::Value& value) {
    json::object told;
    if (const auto* const text = std::get_if<std::string>(&value)) {
        told["stringValue"] = *text;
    } else {
        told["intValue"] = std::to_string(std::get<std::int64_t>(value));
    }
    return {{"key", name}, {"value", std::move(told)}};
}

json::object to_json(const Span& span) {
    json::object object{{"traceId", to_hex(span.trace)},
                        {"spanId", to_hex(span.id)},
                        {"name", json::string_view{span.name.data(), span.name.size()}},
                        {"kind", static_cast<int>(span.kind)},
                        {"startTimeUnixNano", nanoseconds(span.begin)},
                        // A clock that was set back meanwhile makes no span of negative length.
                        {"endTimeUnixNano", nanoseconds(std::max(span.begin, span.end))}};
    if (span.parent != SpanId{}) object["parentSpanId"] = to_hex(span.parent);
    if (!span.state.empty()) object["traceState"] = span.state;
    json::array attributes;
    for (const auto& [name, value] : span.attributes) attributes.push_back(attribute(name, value));
    object["attributes"] = std::move(attributes);
    object["status"] = span.failed ? json::object{{"code", status_error}} : json::object{};
    return object;
}

}  // namespace

TraceContext inside(const Span& span) { return {span.trace, span.id, true, span.state}; }

std::string encode_spans(const SpanSource& source, std::span<const Span> spans) {
    json::array told;
    for (const auto& span : spans) told.push_back(to_json(span));
    const json::object scope{{"name", "fanfare"}, {"version", source.version}};
    const json::array resource{attribute("service.name", source.service),
                               attribute("service.version", source.version),
                               attribute("service.instance.id", source.instance)};
    const json::object document{
        {"resourceSpans",
         json::array{json::object{
             {"resource", json::object{{"attributes", resource}}},
             {"scopeSpans", json::array{json::object{{"scope", scope}, {"spans", told}}}}}}}};
    return json::serialize(document);
}

std::size_t count_rejected(std::string_view answer) {
    json::error_code fault;
    const auto document = json::parse(json::string_view{answer.data(), answer.size()}, fault);
    if (fault) return 0;
    const auto* const told = document.find_pointer("/partialSuccess/rejectedSpans", fault);
    if (told == nullptr) return 0;
    if (const auto* const count = told->if_int64()) {
        return static_cast<std::size_t>(std::max<std::int64_t>(*count, 0));
    }
    std::size_t count = 0;
    if (const auto* const text = told->if_string()) {
        std::from_chars(text->data(), text->data() + text->size(), count);
    }
    return count;
}

}  // namespace fanfare
