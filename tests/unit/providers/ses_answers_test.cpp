#include "core/providers/ses/ses.hpp"

#include "tests/contract/accounts.hpp"
#include "tests/unit/providers/answer_case.hpp"

namespace fanfare::testing {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::string_view sender = "Shows@example.org";

/// An error of the whole call, its type in the body: {"__type":...}.
std::string fault(const std::string& type, const std::string& text = "x") {
    return R"({"__type":")" + type + R"(","message":")" + text + "\"}";
}

std::string entry(const std::string& status, const std::string& error = "x") {
    return R"({"Status":")" + status + R"(","Error":")" + error + "\"}";
}

std::string taken(const std::string& id) {
    return R"({"Status":"SUCCESS","MessageId":")" + id + "\"}";
}

std::string results(const std::vector<std::string>& entries) {
    std::string body = R"({"BulkEmailEntryResults":[)";
    for (const auto& each : entries) body += (body.ends_with('[') ? "" : ",") + each;
    return body + "]}";
}

BatchAnswer read(int status, const std::string& body, std::size_t count) {
    return ses::read_answer(answered(status, body), count, sender, test_now);
}

class SesAnswers : public ::testing::TestWithParam<AnswerCase> {};

TEST_P(SesAnswers, FollowTheTable) {
    const auto& row = GetParam();
    const auto answer = read(row.status, row.body, 1);
    expect_row(row, answer);
    EXPECT_FALSE(answer.split) << "one recipient cannot be split";
    EXPECT_EQ(answer.detail.find("victim"), std::string::npos);
    EXPECT_TRUE(answer.exceptions.empty());
}

constexpr auto config = Verdict::config;
constexpr auto throttle = Verdict::throttle;
constexpr auto transient = Verdict::transient;
constexpr auto perm_rcpt = Verdict::perm_rcpt;
constexpr auto account = Reason::account_unusable;
constexpr auto refused = Reason::request_refused;
constexpr auto person = Reason::recipient_refused;
constexpr auto throttled = Reason::throttled;
constexpr auto outage = Reason::provider_unavailable;
constexpr auto unread = Reason::answer_unreadable;

const std::string not_verified =
    "Email address is not verified. The following identities failed the check in region "
    "US-EAST-1: ";

const std::vector<AnswerCase> entry_rows{
    {"rejected", 200, results({entry("MESSAGE_REJECTED")}), perm_rcpt, person},
    {"rejected_in_sandbox", 200,
     results({entry("MESSAGE_REJECTED", not_verified + "victim@example.com")}), perm_rcpt, person},
    {"own_address_unverified", 200,
     results({entry("MESSAGE_REJECTED", not_verified + "shows@example.org")}), config, account},
    {"bad_parameter", 200, results({entry("INVALID_PARAMETER")}), perm_rcpt, person},
    {"passing", 200, results({entry("TRANSIENT_FAILURE")}), transient, outage},
    {"failed", 200, results({entry("FAILED")}), transient, outage},
    {"throttled", 200, results({entry("ACCOUNT_THROTTLED")}), throttle, throttled},
    {"quota", 200, results({entry("ACCOUNT_DAILY_QUOTA_EXCEEDED")}), throttle, throttled, hours{1}},
    {"suspended", 200, results({entry("ACCOUNT_SUSPENDED")}), config, account},
    {"paused", 200, results({entry("ACCOUNT_SENDING_PAUSED")}), config, account},
    {"set_paused", 200, results({entry("CONFIGURATION_SET_SENDING_PAUSED")}), config, account},
    {"no_set", 200, results({entry("CONFIGURATION_SET_NOT_FOUND")}), config, account},
    {"mail_from", 200, results({entry("MAIL_FROM_DOMAIN_NOT_VERIFIED")}), config, account},
    {"no_pool", 200, results({entry("INVALID_SENDING_POOL_NAME")}), config, account},
    {"no_template", 200, results({entry("TEMPLATE_NOT_FOUND")}), config, account},
    {"unknown_status", 200, results({entry("NEW_STATUS")}), Verdict::ambiguous, unread},
    {"no_id", 200, results({R"({"Status":"SUCCESS"})"}), Verdict::ambiguous, unread},
    {"odd_entry", 200, results({"7"}), Verdict::ambiguous, unread},
    {"no_entries", 200, results({}), Verdict::ambiguous, unread},
    {"too_many_entries", 200, results({taken("1"), taken("2")}), Verdict::ambiguous, unread},
    {"other_200", 200, R"({"MessageId":"1"})", Verdict::ambiguous, unread},
    {"html_200", 200, "<html>", Verdict::ambiguous, unread},
    {"not_200", 202, results({taken("1")}), Verdict::ambiguous, unread},
};

const std::vector<AnswerCase> call_rows{
    {"too_many_requests", 429, fault("TooManyRequestsException"), throttle, throttled},
    {"throttling", 400, fault("ThrottlingException", "Maximum sending rate exceeded."), throttle,
     throttled},
    {"throttling_short", 400, fault("Throttling", "Rate exceeded"), throttle, throttled},
    {"throttling_as_500", 500, fault("ThrottlingException"), throttle, throttled},
    {"rate_by_text", 400, R"({"message":"Maximum sending rate exceeded."})", throttle, throttled},
    {"quota_by_type", 400, fault("Throttling", "Daily message quota exceeded."), throttle,
     throttled, hours{1}},
    {"quota_by_text", 400, R"({"Message":"Daily message quota exceeded."})", throttle, throttled,
     hours{1}},
    {"limit", 400, fault("LimitExceededException"), throttle, throttled, seconds{60}},
    {"call_suspended", 400, fault("AccountSuspendedException"), config, account},
    {"call_paused", 400, fault("SendingPausedException"), config, account},
    {"call_mail_from", 400, fault("MailFromDomainNotVerifiedException"), config, account},
    {"unverified", 400, fault("MessageRejected", not_verified + "shows@example.org"), config,
     account},
    {"unverified_nobody", 400, fault("MessageRejected", "Email address is not verified."), config,
     account},
    {"sandbox", 400, fault("MessageRejected", not_verified + "victim@example.com"), perm_rcpt,
     person},
    {"rejected_content", 400, fault("MessageRejected", "victim@example.com"), Verdict::perm_req,
     refused},
    {"bad_request", 400, fault("BadRequestException"), Verdict::perm_req, refused},
    {"bad_domain", 400,
     fault("BadRequestException", "Domain contains illegal character in victim@example.com"),
     Verdict::suppress, Reason::address_invalid},
    {"bad_local", 400, fault("ValidationException", "Local address contains control or whitespace"),
     Verdict::suppress, Reason::address_invalid},
    {"no_domain", 400, fault("ValidationError", "Missing final '@domain'"), Verdict::suppress,
     Reason::address_invalid},
    {"validation", 400, fault("ValidationException"), Verdict::perm_req, refused},
    {"validation_error", 400, fault("ValidationError"), Verdict::perm_req, refused},
    {"serialization", 400, fault("SerializationException"), Verdict::perm_req, refused},
    {"not_found", 404, fault("NotFoundException"), config, account},
    {"signature_403", 403, fault("SignatureDoesNotMatch"), config, account},
    {"signature_400", 400, fault("InvalidSignatureException"), config, account},
    {"expired_request", 403, fault("RequestExpired"), config, account},
    {"denied", 403, fault("AccessDeniedException"), config, account},
    {"unrecognized", 403, fault("UnrecognizedClientException"), config, account},
    {"incomplete", 403, fault("IncompleteSignature"), config, account},
    {"no_token", 403, fault("MissingAuthenticationToken"), config, account},
    {"bad_key", 403, fault("InvalidClientTokenId"), config, account},
    {"opt_in", 403, fault("OptInRequired"), config, account},
    {"expired_token", 403, fault("ExpiredToken"), config, account},
    {"expired_token_too", 403, fault("ExpiredTokenException"), config, account},
    {"not_authorized", 401, fault("NotAuthorized"), config, account},
    {"timeout", 408, fault("RequestTimeout"), transient, outage},
    {"large", 413, fault("RequestEntityTooLarge"), Verdict::perm_req, Reason::content_too_large},
    {"large_untyped", 413, "<html>", Verdict::perm_req, Reason::content_too_large},
    {"internal", 500, fault("InternalFailure"), transient, outage},
    {"internal_too", 500, fault("InternalServerError"), transient, outage},
    {"fault_502", 502, fault("ServiceUnavailable"), transient, outage},
    {"unknown_fault", 500, fault("SomethingNew"), transient, outage},
    {"gateway_502", 502, "", Verdict::ambiguous, Reason::answer_lost},
    {"gateway_503", 503, R"({"message":"Service Unavailable"})", Verdict::ambiguous,
     Reason::answer_lost},
    {"unavailable", 503, fault("ServiceUnavailable"), transient, outage},
    {"gateway_504", 504, "<html>", Verdict::ambiguous, Reason::answer_lost},
    {"bandwidth", 509, "", Verdict::ambiguous, Reason::answer_lost},
    {"untyped_400", 400, R"({"message":"victim@example.com"})", transient, outage},
    {"untyped_403", 403, "", config, account},
    {"by_code", 400, R"({"code":"com.amazon.coral#SendingPausedException"})", config, account},
};

INSTANTIATE_TEST_SUITE_P(Entry, SesAnswers, ::testing::ValuesIn(entry_rows), row_name);
INSTANTIATE_TEST_SUITE_P(Call, SesAnswers, ::testing::ValuesIn(call_rows), row_name);

TEST(SesError, IsNamedByTheHeaderFirst) {
    auto answer = answered(400, fault("ValidationException"));
    answer.error_type = "SendingPausedException:http://internal.amazon.com/coral/x/";
    EXPECT_EQ(ses::read_answer(answer, 1, sender, test_now).verdict, Verdict::config);
    answer.error_type = "com.amazon#ThrottlingException";
    EXPECT_EQ(ses::read_answer(answer, 1, sender, test_now).verdict, Verdict::throttle);
}

TEST(SesError, AsksForANewSignatureWhereTheOldOneWasRefused) {
    for (const std::string type :
         {"SignatureDoesNotMatch", "RequestExpired", "InvalidSignatureException"}) {
        EXPECT_TRUE(read(403, fault(type), 2).renew_credential) << type;
    }
    for (const std::string type :
         {"AccessDeniedException", "ExpiredToken", "IncompleteSignature"}) {
        EXPECT_FALSE(read(403, fault(type), 2).renew_credential) << type;
    }
}

TEST(SesError, IsHalvedWhereHalvesMayPass) {
    const auto address = read(400, fault("BadRequestException", "Missing final '@domain'"), 2);
    EXPECT_TRUE(address.split);
    EXPECT_EQ(address.verdict, Verdict::perm_req) << "whose address it was is unknown";
    EXPECT_TRUE(read(400, fault("MessageRejected", not_verified + "v@example.com"), 2).split);
    EXPECT_TRUE(read(413, fault("RequestEntityTooLarge"), 2).split);
    EXPECT_TRUE(read(413, "", 2).split);
    EXPECT_FALSE(read(400, fault("MessageRejected"), 2).split);
    EXPECT_FALSE(read(400, fault("Throttling"), 2).split);
}

/// "0:ok 2:perm_rcpt": the exceptions of an answer.
std::string exceptions_of(const BatchAnswer& answer) {
    std::string out;
    for (const auto& each : answer.exceptions) {
        if (!out.empty()) out += " ";
        out += std::to_string(each.index) + ":" + std::string{to_string(each.verdict)};
        if (!each.provider_id.empty()) out += "/" + each.provider_id;
    }
    return out;
}

TEST(SesEntries, EachHaveTheirOwnId) {
    const auto answer = read(200, results({taken("a"), taken("b"), taken("c")}), 3);
    EXPECT_EQ(answer.verdict, Verdict::ok);
    EXPECT_EQ(answer.provider_id, "a");
    EXPECT_EQ(exceptions_of(answer), "1:ok/b 2:ok/c");
}

TEST(SesEntries, AreJudgedOneByOne) {
    const auto answer = read(200,
                             results({entry("MESSAGE_REJECTED"), taken("b"), entry("FAILED"),
                                      taken("d"), entry("WHO_KNOWS")}),
                             5);
    EXPECT_EQ(answer.verdict, Verdict::ok);
    EXPECT_EQ(answer.provider_id, "b");
    EXPECT_EQ(exceptions_of(answer), "0:perm_rcpt 2:transient 3:ok/d 4:ambiguous");
}

TEST(SesEntries, StopOrSlowTheAccountThoughSomeWereTaken) {
    const auto slow = read(200,
                           results({taken("a"), entry("ACCOUNT_THROTTLED"),
                                    entry("ACCOUNT_THROTTLED"), entry("MESSAGE_REJECTED")}),
                           4);
    EXPECT_EQ(slow.verdict, Verdict::throttle) << "the send stage looks at this one only";
    EXPECT_EQ(exceptions_of(slow), "0:ok/a 3:perm_rcpt");
    const auto longest =
        read(200, results({entry("ACCOUNT_THROTTLED"), entry("ACCOUNT_DAILY_QUOTA_EXCEEDED")}), 2);
    EXPECT_EQ(longest.retry_after, hours{1});
    const auto stop = read(
        200, results({entry("ACCOUNT_THROTTLED"), taken("b"), entry("ACCOUNT_SENDING_PAUSED")}), 3);
    EXPECT_EQ(stop.verdict, Verdict::config);
    EXPECT_EQ(exceptions_of(stop), "0:throttle 1:ok/b");
}

TEST(SesEntries, AreInDoubtWhereNothingIsToldOfThem) {
    const auto answer = read(200, results({taken("a"), taken("b")}), 4);
    EXPECT_EQ(answer.verdict, Verdict::ok);
    EXPECT_EQ(exceptions_of(answer), "1:ok/b 2:ambiguous 3:ambiguous");
}

}  // namespace
}  // namespace fanfare::testing
