#include "core/providers/twilio/twilio.hpp"

#include "tests/contract/accounts.hpp"
#include "tests/unit/providers/answer_case.hpp"

namespace fanfare::testing {
namespace {

struct CodeRow {
    int code;
    int status;
    Verdict verdict;
    Reason reason;
    std::chrono::milliseconds wait{0};
};

constexpr auto config = Verdict::config;
constexpr auto account = Reason::account_unusable;
constexpr auto bad_number = Reason::address_invalid;
constexpr auto refused = Reason::request_refused;
constexpr auto recipient = Reason::recipient_refused;

// The fact sheet's table, row by row.
const std::vector<CodeRow> rows{
    {20001, 400, Verdict::perm_req, refused},
    {20002, 400, Verdict::perm_req, refused},
    {20003, 401, config, account},
    {20005, 403, config, account},
    {10001, 401, config, account},
    {20008, 403, config, account},
    {20403, 403, config, account},
    {20404, 404, config, account},
    {20429, 429, Verdict::throttle, Reason::throttled},
    {20429, 503, Verdict::throttle, Reason::throttled},
    {20500, 500, Verdict::ambiguous, Reason::answer_lost},
    {20503, 503, Verdict::ambiguous, Reason::answer_lost},
    {20504, 504, Verdict::ambiguous, Reason::answer_lost},
    {20503, 400, Verdict::transient, Reason::provider_unavailable},
    {21211, 400, Verdict::suppress, bad_number},
    {21214, 400, Verdict::suppress, bad_number},
    {21217, 400, Verdict::suppress, bad_number},
    {21212, 400, config, account},
    {21266, 400, Verdict::perm_rcpt, recipient},
    {21401, 400, Verdict::suppress, bad_number},
    {21408, 400, Verdict::perm_rcpt, recipient},
    {21408, 403, Verdict::perm_rcpt, recipient},
    {21601, 400, config, account},
    {21606, 400, config, account},
    {21659, 400, config, account},
    {21660, 400, config, account},
    {21602, 400, Verdict::perm_req, refused},
    {21619, 400, Verdict::perm_req, refused},
    {21603, 400, Verdict::perm_req, refused},
    {21604, 400, Verdict::perm_req, refused},
    {21605, 400, Verdict::perm_req, Reason::content_too_large},
    {21617, 400, Verdict::perm_req, Reason::content_too_large},
    {21608, 400, Verdict::perm_rcpt, recipient},
    {21610, 400, Verdict::suppress, Reason::consent_withdrawn},
    {21611, 400, Verdict::throttle, Reason::throttled, std::chrono::minutes{1}},
    {21611, 429, Verdict::throttle, Reason::throttled, std::chrono::minutes{1}},
    {21612, 400, Verdict::perm_rcpt, recipient},
    {21614, 400, Verdict::suppress, bad_number},
    {21620, 400, Verdict::perm_req, refused},
    {21623, 400, Verdict::perm_req, refused},
    {21701, 400, config, account},
    {21703, 400, config, account},
    {21704, 400, config, account},
    {21705, 400, config, account},
    {21910, 400, Verdict::perm_req, refused},
    {30450, 400, Verdict::perm_rcpt, recipient},
    {30610, 400, Verdict::perm_rcpt, recipient},
    {30640, 400, Verdict::perm_rcpt, recipient},
    {35114, 400, Verdict::perm_req, refused},
    {35115, 400, Verdict::perm_req, refused},
    {35117, 400, Verdict::perm_req, refused},
    {35118, 400, Verdict::perm_req, refused},
    {35125, 400, Verdict::throttle, Reason::throttled, std::chrono::hours{1}},
    {63017, 429, Verdict::throttle, Reason::throttled, std::chrono::seconds{1}},
    {63038, 429, Verdict::throttle, Reason::throttled, std::chrono::hours{1}},
    // Codes we do not know.
    {21999, 400, Verdict::perm_req, refused},
    {21999, 403, Verdict::perm_req, refused},
    {21999, 418, Verdict::perm_req, refused},
    {21999, 401, config, account},
    {21999, 429, Verdict::throttle, Reason::throttled},
    {21999, 500, Verdict::ambiguous, Reason::answer_lost},
};

TEST(TwilioAnswers, FollowTheTable) {
    for (const auto& row : rows) {
        const auto body = R"({"code":)" + std::to_string(row.code) +
                          R"(,"message":"The 'To' number +15558675310","status":)" +
                          std::to_string(row.status) + "}";
        const auto answer = twilio::read_answer(answered(row.status, body), test_now);
        SCOPED_TRACE(row.code);
        expect_row({"", row.status, "", row.verdict, row.reason, row.wait}, answer);
        EXPECT_EQ(answer.detail.find("5558675310"), std::string::npos);
    }
}

TEST(TwilioAnswers, FallBackOnTheStatus) {
    const auto verdict = [](int status, const std::string& body) {
        return twilio::read_answer(answered(status, body), test_now).verdict;
    };
    for (const std::string body :
         {"", "<html>", "[]", "{}", R"({"code":"21211"})", R"({"code":1e99})"}) {
        EXPECT_EQ(verdict(400, body), Verdict::transient) << body;
        EXPECT_EQ(verdict(401, body), Verdict::config) << body;
        EXPECT_EQ(verdict(404, body), Verdict::config) << body;
        EXPECT_EQ(verdict(429, body), Verdict::throttle) << body;
        EXPECT_EQ(verdict(500, body), Verdict::ambiguous) << body;
        EXPECT_EQ(verdict(502, body), Verdict::ambiguous) << body;
        EXPECT_EQ(verdict(302, body), Verdict::config) << body;
        EXPECT_EQ(verdict(201, body), Verdict::ambiguous) << body;
    }
}

TEST(TwilioAnswers, ReadTheSid) {
    const auto body = R"({"sid":"SM00000000000000000000000000000002","status":"queued"})";
    const auto answer = twilio::read_answer(answered(201, body), test_now);
    EXPECT_EQ(answer.verdict, Verdict::ok);
    EXPECT_EQ(answer.provider_id, "SM00000000000000000000000000000002");
    for (const auto* const odd :
         {R"({"sid":""})", R"({"sid":null})", R"({"sid":"a b"})", R"({"sid":"a\u0000"})", "{"}) {
        const auto unread = twilio::read_answer(answered(201, odd), test_now);
        EXPECT_EQ(unread.verdict, Verdict::ambiguous) << odd;
        EXPECT_EQ(unread.reason, Reason::answer_unreadable) << odd;
    }
}

TEST(TwilioAnswers, HonourRetryAfter) {
    auto answer = answered(429, R"({"code":20429})");
    answer.retry_after = "3";
    EXPECT_EQ(twilio::read_answer(answer, test_now).retry_after, std::chrono::seconds{3});
}

}  // namespace
}  // namespace fanfare::testing
