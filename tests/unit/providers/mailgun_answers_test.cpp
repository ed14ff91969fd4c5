#include "core/providers/mailgun/mailgun.hpp"

#include "tests/contract/accounts.hpp"
#include "tests/unit/providers/answer_case.hpp"

namespace fanfare::testing {
namespace {

using std::chrono::seconds;

std::string message(const std::string& text) { return "{\"message\":\"" + text + "\"}"; }

class MailgunAnswers : public ::testing::TestWithParam<AnswerCase> {};

TEST_P(MailgunAnswers, FollowTheTable) {
    const auto& row = GetParam();
    const auto answer = mailgun::read_answer(answered(row.status, row.body), 1, test_now);
    expect_row(row, answer);
    EXPECT_FALSE(answer.split) << "one recipient cannot be split";
}

constexpr auto config = Verdict::config;
constexpr auto account = Reason::account_unusable;
constexpr auto refused = Reason::request_refused;
constexpr auto throttled = Reason::throttled;
constexpr auto outage = Reason::provider_unavailable;

const std::vector<AnswerCase> rows{
    {"bad_to", 400, message("to parameter is not a valid address. please check documentation"),
     Verdict::suppress, Reason::address_invalid},
    {"bad_quoted_to", 400, message("'to' parameter is not a valid address. please check"),
     Verdict::suppress, Reason::address_invalid},
    {"bad_cc", 400, message("cc parameter is not a valid address."), Verdict::suppress,
     Reason::address_invalid},
    {"bad_from", 400, message("from parameter is not a valid address."), Verdict::perm_req,
     refused},
    {"bad_quoted_from", 400, message("'from' parameter is not a valid address."), Verdict::perm_req,
     refused},
    {"missing_to", 400, message("to parameter is missing"), Verdict::perm_req, refused},
    {"no_body", 400, message("Need at least one of 'text' or 'html' parameters specified"),
     Verdict::perm_req, refused},
    {"too_many", 400, message("Too many recipients, max is 1000"), Verdict::perm_req, refused},
    {"bad_date", 400, message("deliverytime is not RFC 2822"), Verdict::perm_req, refused},
    {"not_json", 400, "<html>bad request</html>", Verdict::transient, outage},
    {"may_not_send", 400,
     message("Domain mg.example.org is not allowed to send: The domain is unverified"), config,
     account},
    {"bad_key", 401, "Forbidden", config, account},
    {"billing", 402, message("x"), config, account},
    {"large_batches", 403, message("Your account is not allowed to send to large batches yet"),
     Verdict::throttle, throttled},
    {"other_forbidden", 403, message("IP not usable"), config, account},
    {"no_domain", 404, message("Domain not found: mg.example.org"), config, account},
    {"too_large", 413, "", Verdict::perm_req, Reason::content_too_large},
    {"too_fast", 429, "", Verdict::throttle, throttled},
    {"too_fast_seconds", 429,
     message("Domain D is not allowed to send: account-requests-per-sec limit exceeded, try again "
             "after 120 seconds"),
     Verdict::throttle, throttled, seconds{120}},
    {"too_fast_date", 429,
     message("Domain D is not allowed to send: request limit exceeded, try again after Thu, 01 "
             "Jan 2026 00:05:00 +0000"),
     Verdict::throttle, throttled, seconds{300}},
    {"too_fast_date_utc", 429,
     message("Domain D is not allowed to send: recipient limit exceeded, try again after Thu, 01 "
             "Jan 2026 00:05:00 UTC."),
     Verdict::throttle, throttled, seconds{300}},
    {"limit_as_400", 400,
     message("Domain D is not allowed to send: bytes limit exceeded, try again after 5 seconds"),
     Verdict::throttle, throttled, seconds{5}},
    {"too_fast_senseless", 429, message("limit exceeded, try again after lunch"), Verdict::throttle,
     throttled},
    {"fault_500", 500, message("x"), Verdict::transient, outage},
    {"fault_503", 503, message("Service Unavailable"), Verdict::transient, outage},
    {"gateway_502", 502, "", Verdict::ambiguous, Reason::answer_lost},
    {"gateway_503", 503, "<html>", Verdict::ambiguous, Reason::answer_lost},
    {"gateway_504", 504, message("Endpoint request timed out"), Verdict::ambiguous,
     Reason::answer_lost},
    {"redirect", 301, "", config, account},
    {"empty_200", 200, "", Verdict::ambiguous, Reason::answer_unreadable},
    {"html_200", 200, "<html>", Verdict::ambiguous, Reason::answer_unreadable},
    {"no_id_200", 200, message("Queued. Thank you."), Verdict::ambiguous,
     Reason::answer_unreadable},
    {"odd_id_200", 200, R"({"id":7})", Verdict::ambiguous, Reason::answer_unreadable},
    {"nul_in_id", 200, R"({"id":"<a\u0000b>"})", Verdict::ambiguous, Reason::answer_unreadable},
};

INSTANTIATE_TEST_SUITE_P(Documented, MailgunAnswers, ::testing::ValuesIn(rows), row_name);

TEST(MailgunSuccess, GivesTheIdAsEventsSpellIt) {
    const auto answer = mailgun::read_answer(
        answered(200, R"({"id":"<20260101000000.1.ABCDEF@mg.example.org>","message":"Queued."})"),
        1000, test_now);
    EXPECT_EQ(answer.verdict, Verdict::ok);
    EXPECT_EQ(answer.provider_id, "20260101000000.1.ABCDEF@mg.example.org");
    EXPECT_TRUE(answer.exceptions.empty());
}

TEST(MailgunSplit, IsAskedForWhereHalvesMayPass) {
    const auto split = [](int status, const std::string& text) {
        return mailgun::read_answer(answered(status, message(text)), 2, test_now);
    };
    const auto bad_to = split(400, "to parameter is not a valid address");
    EXPECT_TRUE(bad_to.split);
    EXPECT_EQ(bad_to.verdict, Verdict::perm_req) << "which of the two is unknown";
    const auto large = split(403, "not allowed to send to large batches yet");
    EXPECT_TRUE(large.split);
    EXPECT_EQ(large.verdict, Verdict::throttle);
    EXPECT_TRUE(split(400, "Too many recipients, max is 1000").split);
    EXPECT_TRUE(split(413, "").split);
    EXPECT_FALSE(split(400, "from parameter is not a valid address").split);
    EXPECT_FALSE(split(429, "limit exceeded").split);
    EXPECT_FALSE(split(500, "").split);
}

TEST(MailgunWait, PrefersHeadersToTheText) {
    auto answer = answered(429, message("limit exceeded, try again after 120 seconds"));
    answer.rate_limit_reset = std::to_string(test_now + 9) + ".5";
    EXPECT_EQ(mailgun::read_answer(answer, 2, test_now).retry_after,
              std::chrono::milliseconds{9500});
    answer.retry_after = "4";
    EXPECT_EQ(mailgun::read_answer(answer, 2, test_now).retry_after, seconds{4});
}

}  // namespace
}  // namespace fanfare::testing
