#include "sim/providers/apns/apns.hpp"

#include "sim/providers/apns/provider_token.hpp"
#include "tests/unit/sim/provider_case.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>
#include <boost/json/parse.hpp>

#include <fstream>
#include <functional>
#include <iterator>

namespace fanfare::sim {
namespace {

using testing::ElementsAre;

std::string vector_file(const std::string& name) {
    std::ifstream in{FANFARE_SOURCE_DIR "/tests/fixtures/vectors/" + name};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// The token of the vectors, issued at test_now_s.
std::string vector_token() {
    const auto all = boost::json::parse(vector_file("vectors.json"));
    return std::string{all.at("apns_provider_jwt").at("jwt").as_string()};
}

ProviderOptions strict() {
    ProviderOptions options;
    options.apns_public_key = vector_file("test-only-p256.pub.pem");
    return options;
}

OwnedRequest push() {
    return {.path = "/3/device/00fc13adff785122",
            .headers = {{"authorization", "bearer " + vector_token()},
                        {"apns-topic", "org.example.shows"},
                        {"apns-push-type", "alert"}},
            .body = R"({"aps":{"alert":{"title":"a","body":"b"}},"fanfare":"job.1"})"};
}

void check2(const SimulatedProvider& provider, OwnedRequest& request, Checked& checked,
            std::int64_t now_s = test_now_s) {
    checked.clear();
    auto view = request.view();
    view.http2 = true;
    provider.check(view, {.now_s = now_s, .number = 1}, checked);
}

struct Case {
    const char* why;
    std::function<void(OwnedRequest&)> change;
    int status;
    const char* reason;
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.why; }

std::function<void(OwnedRequest&)> with(const char* name, std::string value) {
    return [name, value](OwnedRequest& request) { request.headers.emplace_back(name, value); };
}

std::function<void(OwnedRequest&)> without(const char* name) {
    return [name](OwnedRequest& request) {
        std::erase_if(request.headers, [name](const auto& one) { return one.first == name; });
    };
}

std::function<void(OwnedRequest&)> to(std::string token) {
    return [token](OwnedRequest& request) { request.path = "/3/device/" + token; };
}

std::function<void(OwnedRequest&)> saying(std::string body) {
    return [body](OwnedRequest& request) { request.body = body; };
}

std::string payload_of(std::size_t bytes) {
    const std::string begin = R"({"aps":{},"x":")";
    return begin + std::string(bytes - begin.size() - 2, 'x') + "\"}";
}

class ApnsTest : public testing::TestWithParam<Case> {};

TEST_P(ApnsTest, AnswersAsApnsDoes) {
    auto request = push();
    GetParam().change(request);
    Checked checked;
    check2(*make_apns(strict()), request, checked);
    EXPECT_EQ(checked.answer.status, GetParam().status) << checked.answer.body;
    EXPECT_EQ(checked.kind == Checked::Kind::message, GetParam().status == 200);
    if (GetParam().status == 200) {
        EXPECT_EQ(checked.answer.body, "");
        return;
    }
    const auto answer = boost::json::parse(checked.answer.body).as_object();
    EXPECT_EQ(answer.at("reason"), GetParam().reason);
    EXPECT_EQ(answer.contains("timestamp"), GetParam().status == 410);
}

INSTANTIATE_TEST_SUITE_P(
    All, ApnsTest,
    testing::Values(Case{"good", [](OwnedRequest&) {}, 200, ""},
                    Case{"capitals", to("00FC13ADFF785122"), 200, ""},
                    Case{"priority", with("apns-priority", "5"), 200, ""},
                    Case{"collapse id", with("apns-collapse-id", std::string(64, 'x')), 200, ""},
                    Case{"expiration", with("apns-expiration", "1767226500"), 200, ""},
                    Case{"4096 bytes", saying(payload_of(4'096)), 200, ""},
                    Case{"4097 bytes", saying(payload_of(4'097)), 413, "PayloadTooLarge"},
                    Case{"get", [](OwnedRequest& r) { r.method = "GET"; }, 405, "MethodNotAllowed"},
                    Case{"no token of ours", without("authorization"), 403, "MissingProviderToken"},
                    Case{"basic", [](OwnedRequest& r) { r.headers[0].second = "Basic eDp5"; }, 403,
                         "MissingProviderToken"},
                    Case{"nonsense", [](OwnedRequest& r) { r.headers[0].second = "bearer a.b"; },
                         403, "InvalidProviderToken"},
                    Case{"forged", [](OwnedRequest& r) { r.headers[0].second[60] ^= 1; }, 403,
                         "InvalidProviderToken"},
                    Case{"two topics", with("apns-topic", "x"), 400, "DuplicateHeaders"},
                    Case{"no topic", without("apns-topic"), 400, "MissingTopic"},
                    Case{"no type", without("apns-push-type"), 400, "InvalidPushType"},
                    Case{"background", [](OwnedRequest& r) { r.headers[2].second = "background"; },
                         400, "BadPriority"},
                    Case{"odd priority", with("apns-priority", "7"), 400, "BadPriority"},
                    Case{"odd expiration", with("apns-expiration", "900s"), 400,
                         "BadExpirationDate"},
                    Case{"long collapse id", with("apns-collapse-id", std::string(65, 'x')), 400,
                         "BadCollapseId"},
                    Case{"odd id", with("apns-id", "1"), 400, "BadMessageId"},
                    Case{"no payload", saying(""), 400, "PayloadEmpty"},
                    Case{"no aps", saying(R"({"x":1})"), 400, "PayloadEmpty"},
                    Case{"no token", to(""), 400, "MissingDeviceToken"},
                    Case{"not hex", to("dev%3AAPA91b"), 400, "BadDeviceToken"},
                    Case{"odd length", to("abc"), 400, "BadDeviceToken"},
                    Case{"bad", to("bad00001"), 400, "BadDeviceToken"},
                    Case{"dead", to("dead0001"), 410, "Unregistered"}));

TEST(Apns, SpeaksHttp2Only) {
    auto request = push();
    Checked checked;
    check(*make_apns({}), request, checked);
    EXPECT_EQ(checked.answer.status, 400);
    EXPECT_EQ(checked.kind, Checked::Kind::bad);
}

TEST(Apns, ReadsTokenAndReferenceAndGivesAnId) {
    auto request = push();
    Checked checked;
    check2(*make_apns({}), request, checked);
    EXPECT_THAT(checked.recipients, ElementsAre("00fc13adff785122"));
    EXPECT_EQ(checked.reference, "job.1");
    ASSERT_EQ(checked.answer.headers.size(), 1U);
    EXPECT_EQ(checked.answer.headers[0].first, "apns-id");
    EXPECT_EQ(checked.answer.headers[0].second.size(), 36U);
    const auto shown = make_apns({})->render(request.view(), "00fc13adff785122");
    ASSERT_TRUE(shown.has_value());
    EXPECT_EQ(shown->at("apns-topic"), "org.example.shows");
    EXPECT_FALSE(make_apns({})->render(request.view(), "00").has_value());
}

TEST(Apns, TakesOneTopicWhereOneIsSet) {
    ProviderOptions options;
    options.apns_topic = "org.example.other";
    auto request = push();
    Checked checked;
    check2(*make_apns(options), request, checked);
    EXPECT_EQ(checked.answer.body, R"({"reason":"TopicDisallowed"})");
}

TEST(Apns, WantsATokenOfTheLastHour) {
    const auto pem = vector_file("test-only-p256.pub.pem");
    const auto token = "bearer " + vector_token();
    const auto at = [&](std::int64_t now_s) { return check_provider_token(token, pem, now_s); };
    EXPECT_EQ(at(test_now_s), "");
    EXPECT_EQ(at(test_now_s + 3'599), "");
    EXPECT_EQ(at(test_now_s + 3'600), "ExpiredProviderToken");
    EXPECT_EQ(at(test_now_s - 300), "");
    EXPECT_EQ(at(test_now_s - 301), "InvalidProviderToken");
    auto forged = token;
    forged[forged.size() - 9] ^= 1;
    EXPECT_EQ(check_provider_token(forged, pem, test_now_s), "InvalidProviderToken");
    EXPECT_EQ(check_provider_token(forged, "", test_now_s), "") << "well-formed";
}

TEST(Apns, WordsTrouble) {
    const auto said = [](const Trouble& trouble) {
        Answer answer;
        make_apns({})->refuse(trouble, answer);
        return fmt::format("{} {}", answer.status, answer.body);
    };
    using Kind = Trouble::Kind;
    EXPECT_EQ(said({.kind = Kind::refuse, .recipient = {}, .code = {}, .now_s = 61}),
              R"(410 {"reason":"Unregistered","timestamp":1000})");
    EXPECT_EQ(said({.kind = Kind::refuse, .recipient = {}, .code = "DeviceTokenNotForTopic"}),
              R"(400 {"reason":"DeviceTokenNotForTopic"})");
    EXPECT_EQ(said({.kind = Kind::throttle, .recipient = {}, .code = {}}),
              R"(429 {"reason":"TooManyRequests"})");
    EXPECT_EQ(said({.kind = Kind::error, .recipient = {}, .code = {}}),
              R"(503 {"reason":"ServiceUnavailable"})");
    EXPECT_EQ(said({.kind = Kind::error, .recipient = {}, .code = {}, .status = 500}),
              R"(500 {"reason":"InternalServerError"})");
}

}  // namespace
}  // namespace fanfare::sim
