#include "core/wire/cloud_event.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

namespace fanfare {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

const std::string data = R"({"system": "shows", "kind": "show.reminder", "subject": "s1"})";
const Headers structured{{"content-type", "application/cloudevents+json; charset=UTF-8"}};
const Headers binary{{"content-type", "application/json"},
                     {"ce_specversion", "1.0"},
                     {"ce_id", "e-1"},
                     {"ce_source", "/shop"},
                     {"ce_type", "fanfare.job.v1"}};

std::string event(const std::string& more) {
    return fmt::format(
        R"({{"specversion": "1.0", "id": "e-1", "source": "/shop", "type": "fanfare.job.v1"{}}})",
        more);
}

Job job_of(const Headers& headers, const std::string& bytes) {
    EXPECT_TRUE(is_cloud_event(headers));
    auto made = decode_event(headers, bytes);
    if (const auto* const rejection = std::get_if<Rejection>(&made)) {
        ADD_FAILURE() << rejection->message;
        return {};
    }
    return std::get<Job>(made);
}

std::string code_of(const Headers& headers, const std::string& bytes) {
    const auto made = decode_event(headers, bytes);
    const auto* const rejection = std::get_if<Rejection>(&made);
    return rejection == nullptr ? "" : rejection->code;
}

TEST(CloudEvent, StructuredAndBinaryAreTheSameJob) {
    const auto one = job_of(structured, event(R"(, "data": )" + data));
    EXPECT_EQ(one.idempotency_key, "/shop e-1");
    EXPECT_EQ(one.id, derived_id("/shop e-1"));
    EXPECT_EQ(one.subject, "s1");
    EXPECT_EQ(job_of(binary, data), one);
    Headers http = binary;
    for (auto& [name, value] : http) {
        if (name.starts_with("ce_")) name[2] = '-';
    }
    http[1].first = "CE-SpecVersion";
    EXPECT_EQ(job_of(http, data), one);
}

TEST(CloudEvent, TheTraceItCameAboutInIsToldBesideTheJob) {
    const std::string parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const auto plain = job_of(binary, data);
    const auto read_trace = [&](const Headers& headers, const std::string& bytes) {
        std::string trace = "what was there before";
        const auto made = decode_event(headers, bytes, &trace);
        EXPECT_EQ(std::get<Job>(made), plain) << "it is the same job";
        return trace;
    };
    EXPECT_EQ(read_trace(binary, data), "");
    auto headers = binary;
    headers.emplace_back("ce_traceparent", parent);
    EXPECT_EQ(read_trace(headers, data), parent);
    headers.emplace_back("ce_tracestate", "a=1");
    EXPECT_EQ(read_trace(headers, data), parent + " a=1");
    const auto whole = [&](const std::string& more) {
        return event(more + R"(, "data": )" + data);
    };
    EXPECT_EQ(read_trace(structured, whole(R"(, "traceparent": ")" + parent + "\"")), parent);
    EXPECT_EQ(read_trace(structured, whole(R"(, "traceparent": "00-bad")")), "");
    EXPECT_EQ(read_trace(structured, whole(R"(, "traceparent": 7)")), "");
}

TEST(CloudEvent, DataMayBeBase64) {
    const std::string encoded =  // {"system":"shows","kind":"generic"}
        R"(, "data_base64": "eyJzeXN0ZW0iOiJzaG93cyIsImtpbmQiOiJnZW5lcmljIn0=")";
    EXPECT_EQ(job_of(structured, event(encoded)).kind, "generic");
    EXPECT_EQ(code_of(structured, event(R"(, "data_base64": "?")")), "invalid_event");
    EXPECT_EQ(code_of(structured, event(R"(, "data_base64": "????")")), "invalid_event");
    EXPECT_EQ(code_of(structured, event(R"(, "data_base64": "")")), "invalid_event");
    EXPECT_EQ(code_of(structured, event(encoded + R"(, "data": {})")), "invalid_event");
}

TEST(CloudEvent, AKeyOfTheJobsOwnIsKept) {
    const auto made =
        job_of(binary, R"({"system": "shows", "kind": "generic", "idempotency_key": "mine"})");
    EXPECT_EQ(made.idempotency_key, "mine");
}

TEST(CloudEvent, ALongIdentityStillIsAKey) {
    Headers headers = binary;
    headers[2].second = std::string(300, 'x');
    EXPECT_EQ(job_of(headers, data).idempotency_key, derived_id("/shop " + std::string(300, 'x')));
}

TEST(CloudEvent, OthersAreNone) {
    EXPECT_FALSE(is_cloud_event(Headers{}));
    EXPECT_FALSE(is_cloud_event(Headers{{"content-type", "application/json"}}));
    EXPECT_FALSE(is_cloud_event(Headers{{"x-ce", "1"}}));
}

TEST(CloudEvent, IsRefusedWithACode) {
    EXPECT_EQ(code_of(structured, "{"), "not_json");
    EXPECT_EQ(code_of(structured, "[]"), "invalid_event");
    EXPECT_EQ(code_of(structured, "{}"), "invalid_event");
    EXPECT_EQ(code_of(structured, event("")), "invalid_event") << "no data";
    EXPECT_EQ(code_of(structured, event(R"(, "data": "text")")), "wrong_type");
    EXPECT_EQ(code_of(structured, event(R"(, "datacontenttype": "text/xml", "data": {})")),
              "invalid_event");
    EXPECT_EQ(code_of(Headers{{"content-type", "application/cloudevents-batch+json"}}, "[]"),
              "invalid_event");
    EXPECT_EQ(code_of(binary, "null"), "wrong_type");
    EXPECT_EQ(code_of(binary, R"({"system": "shows"})"), "missing_field");
    for (std::size_t i = 1; i < binary.size(); ++i) {
        Headers headers = binary;
        headers.erase(headers.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_EQ(code_of(headers, data),
                  binary[i].first == "ce_type" ? "unknown_event_type" : "invalid_event")
            << binary[i].first;
    }
    Headers other = binary;
    other[4].second = "shop.sale.v1";
    EXPECT_EQ(code_of(other, data), "unknown_event_type");
    other = binary;
    other[3].second = "a b";
    EXPECT_EQ(code_of(other, data), "invalid_event") << "a space would blur whose id it is";
}

TEST(CloudEvent, AnyBytesAreAJobOrACode) {
    const auto whole = event(R"(, "data": )" + data);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        EXPECT_NE(code_of(structured, whole.substr(0, i)), "") << i;
    }
}

}  // namespace
}  // namespace fanfare
