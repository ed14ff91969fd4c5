#include "core/providers/fcm/fcm.hpp"

#include "tests/contract/accounts.hpp"
#include "tests/unit/providers/answer_case.hpp"

namespace fanfare::testing {
namespace {

using std::chrono::seconds;

std::string fault(int code, const std::string& status, const std::string& fcm_code,
                  const std::string& message = "m") {
    std::string details;
    if (!fcm_code.empty()) {
        details =
            R"({"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":")" +
            fcm_code + "\"}";
    }
    return R"({"error":{"code":)" + std::to_string(code) + R"(,"message":")" + message +
           R"(","status":")" + status + R"(","details":[)" + details + "]}}";
}

std::string violation(const std::string& field) {
    return R"({"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT","details":[)"
           R"({"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError",)"
           R"("errorCode":"INVALID_ARGUMENT"},)"
           R"({"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[)"
           R"({"field":")" +
           field + R"(","description":"d"}]}]}})";
}

class FcmAnswers : public ::testing::TestWithParam<AnswerCase> {};

TEST_P(FcmAnswers, FollowTheTable) {
    const auto& row = GetParam();
    expect_row(row, fcm::read_answer(answered(row.status, row.body), test_now));
}

constexpr auto config = Verdict::config;
constexpr auto account = Reason::account_unusable;
constexpr auto outage = Reason::provider_unavailable;
constexpr auto unreadable = Reason::answer_unreadable;

const std::vector<AnswerCase> rows{
    {"bad_token_field", 400, violation("message.token"), Verdict::suppress,
     Reason::address_invalid},
    {"bad_token_text", 400,
     fault(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT",
           "The registration token is not a valid FCM registration token"),
     Verdict::suppress, Reason::address_invalid},
    {"other_field", 400, violation("message.android.ttl"), Verdict::perm_req,
     Reason::request_refused},
    {"bad_argument_without_code", 400, fault(400, "INVALID_ARGUMENT", ""), Verdict::perm_req,
     Reason::request_refused},
    {"too_big", 400, fault(400, "INVALID_ARGUMENT", "", "Android message is too big"),
     Verdict::perm_req, Reason::content_too_large},
    {"bad_request_html", 400, "<html>", Verdict::transient, outage},
    {"unregistered", 404, fault(404, "NOT_FOUND", "UNREGISTERED"), Verdict::suppress,
     Reason::address_invalid},
    {"wrong_project_html", 404, "<html>404</html>", config, account},
    {"wrong_project_json", 404, fault(404, "NOT_FOUND", ""), config, account},
    {"other_sender", 403, fault(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"), Verdict::perm_rcpt,
     Reason::recipient_refused},
    {"api_off", 403, fault(403, "PERMISSION_DENIED", ""), config, account},
    {"platform_key", 401, fault(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), config, account},
    {"platform_key_old", 401, fault(401, "UNAUTHENTICATED", "APNS_AUTH_ERROR"), config, account},
    {"stale", 401, fault(401, "UNAUTHENTICATED", ""), config, account},
    {"stale_html", 401, "<html>", config, account},
    {"project_quota", 429, fault(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), Verdict::throttle,
     Reason::throttled, seconds{60}},
    {"project_quota_status", 429, fault(429, "RESOURCE_EXHAUSTED", ""), Verdict::throttle,
     Reason::throttled, seconds{60}},
    {"quota_html", 429, "<html>", Verdict::throttle, Reason::throttled, seconds{60}},
    {"device_quota", 429,
     fault(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "Device message rate exceeded"),
     Verdict::throttle, Reason::throttled, seconds{60}},
    {"topic_quota", 429,
     fault(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "Topics message rate exceeded"),
     Verdict::throttle, Reason::throttled, seconds{60}},
    {"unavailable", 503, fault(503, "UNAVAILABLE", "UNAVAILABLE"), Verdict::transient, outage},
    {"internal", 500, fault(500, "INTERNAL", "INTERNAL"), Verdict::transient, outage},
    {"unspecified", 500, fault(500, "UNKNOWN", "UNSPECIFIED_ERROR"), Verdict::transient, outage},
    {"too_slow", 504, fault(504, "DEADLINE_EXCEEDED", ""), Verdict::ambiguous, Reason::answer_lost},
    {"gateway_502", 502, "", Verdict::ambiguous, Reason::answer_lost},
    {"gateway_504", 504, "", Verdict::ambiguous, Reason::answer_lost},
    {"redirect", 302, "", config, account},
    {"empty_200", 200, "", Verdict::ambiguous, unreadable},
    {"html_200", 200, "<html>", Verdict::ambiguous, unreadable},
    {"no_name_200", 200, "{}", Verdict::ambiguous, unreadable},
    {"odd_name_200", 200, R"({"name":[]})", Verdict::ambiguous, unreadable},
    {"no_id_200", 200, R"({"name":"projects/P/messages/"})", Verdict::ambiguous, unreadable},
    {"odd_error", 400, R"({"error":"x"})", Verdict::transient, outage},
    {"odd_details", 400, R"({"error":{"details":[1,{"fieldViolations":2},[]],"status":3}})",
     Verdict::transient, outage},
};

INSTANTIATE_TEST_SUITE_P(Documented, FcmAnswers, ::testing::ValuesIn(rows), row_name);

TEST(FcmSuccess, GivesTheLastSegmentOfTheName) {
    const auto answer = fcm::read_answer(
        answered(200, R"({"name":"projects/P/messages/0:1500415314455276%31bd1c9631bd1c96"})"),
        test_now);
    EXPECT_EQ(answer.verdict, Verdict::ok);
    EXPECT_EQ(answer.provider_id, "0:1500415314455276%31bd1c9631bd1c96");
}

TEST(FcmStaleToken, AsksForANewOneOnlyWhereThatMayHelp) {
    const auto renews = [](int status, const std::string& body) {
        return fcm::read_answer(answered(status, body), test_now).renew_credential;
    };
    EXPECT_TRUE(renews(401, fault(401, "UNAUTHENTICATED", "")));
    EXPECT_TRUE(renews(401, "<html>"));
    EXPECT_FALSE(renews(401, fault(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR")));
    EXPECT_FALSE(renews(403, fault(403, "PERMISSION_DENIED", "")));
}

TEST(FcmWait, HonoursRetryAfter) {
    auto answer = answered(429, fault(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"));
    answer.retry_after = "5";
    EXPECT_EQ(fcm::read_answer(answer, test_now).retry_after, seconds{5});
    EXPECT_FALSE(fcm::read_answer(answer, test_now).recipient_only);
    answer.body =
        fault(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "Device message rate exceeded");
    EXPECT_EQ(fcm::read_answer(answer, test_now).retry_after, seconds{60}) << "a minute at least";
    EXPECT_TRUE(fcm::read_answer(answer, test_now).recipient_only) << "others go on";
}

TEST(FcmToken, IsRead) {
    const auto read = fcm::read_token_answer(
        answered(200, R"({"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"})"));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->value, "ya29.x");
    EXPECT_EQ(read->lifetime, seconds{3599});
}

TEST(FcmToken, TellsPassingFaultsFromRefusals) {
    const auto code = [](int status, const std::string& body) {
        return fcm::read_token_answer(answered(status, body)).error().code;
    };
    for (const int status : {408, 429, 500, 503, 504}) {
        EXPECT_EQ(code(status, ""), Errc::http_unavailable) << status;
    }
    EXPECT_EQ(code(400, R"({"error":"invalid_grant"})"), Errc::credential_refused);
    EXPECT_EQ(code(401, R"({"error":"invalid_client"})"), Errc::credential_refused);
    for (const std::string body :
         {"", "{}", "[]", R"({"access_token":""})", R"({"access_token":"a\r\nb"})"}) {
        EXPECT_EQ(code(200, body), Errc::http_unavailable) << body;
    }
    HttpAnswer lost;
    lost.transport = Transport::in_doubt;
    EXPECT_EQ(fcm::read_token_answer(lost).error().code, Errc::http_unavailable);
}

TEST(FcmToken, BoundsItsLife) {
    const auto life = [](const std::string& expires_in) {
        return fcm::read_token_answer(
                   answered(200, R"({"access_token":"t","expires_in":)" + expires_in + "}"))
            ->lifetime;
    };
    EXPECT_EQ(life("-5"), seconds{3000});
    EXPECT_EQ(life("1e300"), seconds{86'400});
    EXPECT_EQ(life("\"x\""), seconds{3000});
    EXPECT_EQ(life("60.9"), seconds{60});
}

}  // namespace
}  // namespace fanfare::testing
