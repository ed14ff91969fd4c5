#include "core/providers/sendgrid/sendgrid.hpp"

#include "tests/contract/accounts.hpp"
#include "tests/unit/providers/answer_case.hpp"

#include <gmock/gmock.h>

namespace fanfare::testing {
namespace {

using std::chrono::seconds;

/// The body of a 400: one error for each field; "null" is no field.
std::string errors(const std::vector<std::string>& fields) {
    std::string body = R"({"errors":[)";
    for (const auto& field : fields) {
        if (body.back() == '}') body += ",";
        body += R"({"message":"Does not contain a valid address: victim@example.com","field":)";
        body += field == "null" ? field : "\"" + field + "\"";
        body += R"(,"help":null})";
    }
    return body + R"(],"id":"x"})";
}

class SendGridAnswers : public ::testing::TestWithParam<AnswerCase> {};

TEST_P(SendGridAnswers, FollowTheTable) {
    const auto& row = GetParam();
    const auto answer = sendgrid::read_answer(answered(row.status, row.body), 1, test_now);
    expect_row(row, answer);
    EXPECT_FALSE(answer.split) << "one recipient cannot be split";
    EXPECT_FALSE(answer.resend_rest) << "there is no rest";
    EXPECT_EQ(answer.detail.find("victim"), std::string::npos);
}

constexpr auto config = Verdict::config;
constexpr auto account = Reason::account_unusable;
constexpr auto outage = Reason::provider_unavailable;
constexpr auto unread = Reason::answer_unreadable;

const std::vector<AnswerCase> rows{
    {"bad_address", 400, errors({"personalizations.0.to.0.email"}), Verdict::suppress,
     Reason::address_invalid},
    {"bad_person", 400, errors({"personalizations.0.substitutions"}), Verdict::perm_rcpt,
     Reason::recipient_refused},
    {"whole_person", 400, errors({"personalizations.0"}), Verdict::perm_rcpt,
     Reason::recipient_refused},
    {"bad_address_and_more", 400,
     errors({"personalizations.0.headers", "personalizations.0.to.0.email"}), Verdict::suppress,
     Reason::address_invalid},
    {"bad_from", 400, errors({"from.email"}), Verdict::perm_req, Reason::request_refused},
    {"person_and_call", 400, errors({"personalizations.0.to.0.email", "subject"}),
     Verdict::perm_req, Reason::request_refused},
    {"all_people", 400, errors({"personalizations"}), Verdict::perm_req, Reason::request_refused},
    {"no_such_person", 400, errors({"personalizations.1.to.0.email"}), Verdict::perm_req,
     Reason::request_refused},
    {"no_number", 400, errors({"personalizations.-1.to"}), Verdict::perm_req,
     Reason::request_refused},
    {"number_and_more", 400, errors({"personalizations.0x.to"}), Verdict::perm_req,
     Reason::request_refused},
    {"huge_number", 400, errors({"personalizations.99999999999.to"}), Verdict::perm_req,
     Reason::request_refused},
    {"no_field", 400, errors({"null"}), Verdict::perm_req, Reason::request_refused},
    {"no_errors", 400, errors({}), Verdict::transient, outage},
    {"odd_errors", 400, R"({"errors":["x",7]})", Verdict::transient, outage},
    {"not_json", 400, "<html>", Verdict::transient, outage},
    {"bad_key", 401, errors({"null"}), config, account},
    {"forbidden", 403, errors({"from"}), config, account},
    {"no_path", 404, errors({"null"}), config, account},
    {"no_method", 405, "", config, account},
    {"no_accept", 406, "", config, account},
    {"too_large_html", 413, "<html>413 Request Entity Too Large</html>", Verdict::perm_req,
     Reason::content_too_large},
    {"bad_type", 415, errors({"null"}), config, account},
    {"too_fast", 429, errors({"null"}), Verdict::throttle, Reason::throttled},
    {"wrong_region", 451, "", config, account},
    {"fault_500", 500, errors({"null"}), Verdict::transient, outage},
    {"fault_503", 503, errors({"null"}), Verdict::transient, outage},
    {"gateway_502", 502, "", Verdict::ambiguous, Reason::answer_lost},
    {"gateway_503", 503, errors({}), Verdict::ambiguous, Reason::answer_lost},
    {"gateway_504", 504, "<html>", Verdict::ambiguous, Reason::answer_lost},
    {"redirect", 302, "", config, account},
    {"sandbox", 200, "", Verdict::ambiguous, unread},
    {"taken_without_id", 202, "", Verdict::ambiguous, unread},
};

INSTANTIATE_TEST_SUITE_P(Documented, SendGridAnswers, ::testing::ValuesIn(rows), row_name);

TEST(SendGridSuccess, IsA202WithAnId) {
    auto answer = answered(202, "");
    answer.message_id = "DzXCdxTHQAOJ2v9jnBZHPA";
    const auto taken = sendgrid::read_answer(answer, 1000, test_now);
    EXPECT_EQ(taken.verdict, Verdict::ok);
    EXPECT_EQ(taken.provider_id, "DzXCdxTHQAOJ2v9jnBZHPA");
    EXPECT_TRUE(taken.exceptions.empty());
    answer.status = 200;
    EXPECT_EQ(sendgrid::read_answer(answer, 1000, test_now).verdict, Verdict::ambiguous);
    answer.status = 202;
    answer.message_id = "two words";
    EXPECT_EQ(sendgrid::read_answer(answer, 1000, test_now).verdict, Verdict::ambiguous);
}

TEST(SendGridBlame, FallsOnThoseNamedAndSendsTheOthersAgain) {
    const auto answer = sendgrid::read_answer(
        answered(400, errors({"personalizations.10.to.0.email", "personalizations.2.headers",
                              "personalizations.10.custom_args"})),
        12, test_now);
    EXPECT_TRUE(answer.resend_rest);
    EXPECT_FALSE(answer.split);
    EXPECT_EQ(answer.verdict, Verdict::transient) << "of the others: nothing of it was sent";
    ASSERT_EQ(answer.exceptions.size(), 2U);
    EXPECT_EQ(answer.exceptions[0].index, 2U);
    EXPECT_EQ(answer.exceptions[0].verdict, Verdict::perm_rcpt);
    EXPECT_EQ(answer.exceptions[0].reason, Reason::recipient_refused);
    EXPECT_EQ(answer.exceptions[1].index, 10U);
    EXPECT_EQ(answer.exceptions[1].verdict, Verdict::suppress);
    EXPECT_EQ(answer.exceptions[1].reason, Reason::address_invalid);
}

TEST(SendGridBlame, LeavesNoRestWhereAllAreNamed) {
    const auto answer = sendgrid::read_answer(
        answered(400, errors({"personalizations.0.to.0.email", "personalizations.1.to.0.email"})),
        2, test_now);
    EXPECT_FALSE(answer.resend_rest);
    EXPECT_EQ(answer.exceptions.size(), 2U);
}

TEST(SendGridSplit, IsAskedForWhereHalvesMayPass) {
    EXPECT_TRUE(sendgrid::read_answer(answered(413, "<html>"), 2, test_now).split);
    EXPECT_FALSE(sendgrid::read_answer(answered(400, errors({"null"})), 2, test_now).split);
    EXPECT_FALSE(sendgrid::read_answer(answered(429, ""), 2, test_now).split);
}

TEST(SendGridWait, LastsUntilTheReset) {
    auto answer = answered(429, errors({"null"}));
    answer.rate_limit_reset = std::to_string(test_now + 42);
    EXPECT_EQ(sendgrid::read_answer(answer, 2, test_now).retry_after, seconds{42});
    answer.retry_after = "4";
    EXPECT_EQ(sendgrid::read_answer(answer, 2, test_now).retry_after, seconds{4});
}

}  // namespace
}  // namespace fanfare::testing
