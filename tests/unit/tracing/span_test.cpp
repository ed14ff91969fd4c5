// Spans as a collector reads them: OTLP's JSON encoding.
#include "core/tracing/span.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace fanfare {
namespace {

namespace json = boost::json;

Span example() {
    const auto context = parse_trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    Span span;
    span.name = "request";
    span.kind = Span::Kind::client;
    span.trace = context->trace;
    span.parent = context->span;
    span.id = {1, 2, 3, 4, 5, 6, 7, 0xff};
    span.begin = TimePoint{std::chrono::microseconds{1'700'000'000'123'456}};
    span.end = span.begin + std::chrono::milliseconds{2};
    return span;
}

json::value encoded(const std::vector<Span>& spans) {
    return json::parse(encode_spans({"fanfare-worker", "1.2.3", "w1"}, spans));
}

json::object only(const Span& span) {
    return encoded({span}).at_pointer("/resourceSpans/0/scopeSpans/0/spans/0").as_object();
}

TEST(SpanJson, ASpanAsOtlpHasIt) {
    auto span = example();
    span.tell("fanfare.account", "mg \"1\"");
    span.count("http.response.status_code", 202);
    EXPECT_EQ(only(span), json::parse(R"({
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "01020304050607ff",
        "parentSpanId": "00f067aa0ba902b7", "name": "request", "kind": 3,
        "startTimeUnixNano": "1700000000123456000", "endTimeUnixNano": "1700000000125456000",
        "attributes": [
            {"key": "fanfare.account", "value": {"stringValue": "mg \"1\""}},
            {"key": "http.response.status_code", "value": {"intValue": "202"}}],
        "status": {}})")
                              .as_object());
}

TEST(SpanJson, WhatBeginsATraceHasNoParentAndWhatFailedSaysSo) {
    auto span = example();
    span.parent = {};
    span.failed = true;
    span.state = "a=1";
    const auto object = only(span);
    EXPECT_FALSE(object.contains("parentSpanId"));
    EXPECT_EQ(object.at("status"), json::parse(R"({"code": 2})"));
    EXPECT_EQ(object.at("traceState"), json::value("a=1"));
}

TEST(SpanJson, AClockThatWasSetBackMakesNoNegativeSpan) {
    auto span = example();
    span.end = span.begin - std::chrono::hours{1};
    const auto object = only(span);
    EXPECT_EQ(object.at("startTimeUnixNano"), object.at("endTimeUnixNano"));
}

TEST(SpanJson, AllOfOneProgramStandTogether) {
    const auto document = encoded({example(), example()});
    EXPECT_EQ(document.at_pointer("/resourceSpans").as_array().size(), 1U);
    EXPECT_EQ(document.at_pointer("/resourceSpans/0/scopeSpans/0/spans").as_array().size(), 2U);
    EXPECT_EQ(document.at_pointer("/resourceSpans/0/resource/attributes"), json::parse(R"([
        {"key": "service.name", "value": {"stringValue": "fanfare-worker"}},
        {"key": "service.version", "value": {"stringValue": "1.2.3"}},
        {"key": "service.instance.id", "value": {"stringValue": "w1"}}])"));
    EXPECT_EQ(document.at_pointer("/resourceSpans/0/scopeSpans/0/scope/name"),
              json::value("fanfare"));
}

TEST(SpanJson, WhatComesOfASpanBelongsBelowIt) {
    const auto span = example();
    const auto below = inside(span);
    EXPECT_EQ(below.trace, span.trace);
    EXPECT_EQ(below.span, span.id);
    EXPECT_TRUE(below.sampled);
}

}  // namespace
}  // namespace fanfare
