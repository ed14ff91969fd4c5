#include "core/providers/vonage/vonage.hpp"

#include "tests/contract/accounts.hpp"
#include "tests/unit/providers/answer_case.hpp"

#include <fmt/format.h>

namespace fanfare::testing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

struct CodeRow {
    int code;
    Verdict verdict;
    Reason reason;
    std::chrono::milliseconds wait{0};
};

constexpr auto config = Verdict::config;
constexpr auto account = Reason::account_unusable;
constexpr auto bad_number = Reason::address_invalid;
constexpr auto refused = Reason::request_refused;
constexpr auto recipient = Reason::recipient_refused;
constexpr auto down = Reason::provider_unavailable;

// The fact sheet's table of the SMS API, row by row.
const std::vector<CodeRow> sms_rows{
    {1, Verdict::throttle, Reason::throttled, seconds{1}},
    {2, Verdict::perm_req, refused},
    {3, Verdict::perm_req, refused},
    {4, config, account},
    {5, Verdict::transient, down},
    {6, Verdict::perm_rcpt, recipient},
    {7, Verdict::suppress, bad_number},
    {8, config, account},
    {9, config, account},
    {10, Verdict::throttle, Reason::throttled, seconds{1}},
    {11, config, account},
    {12, Verdict::perm_req, Reason::content_too_large},
    {14, config, account},
    {15, Verdict::perm_rcpt, recipient},
    {22, Verdict::perm_req, refused},
    {23, Verdict::perm_req, refused},
    {29, config, account},
    {32, config, account},
    {33, Verdict::suppress, bad_number},
    {99, Verdict::perm_req, refused},  // One we do not know.
};

// The fact sheet's table of the Messages API.
const std::vector<CodeRow> messages_rows{
    {1000, Verdict::throttle, Reason::throttled, seconds{1}},
    {1010, Verdict::perm_req, refused},
    {1020, Verdict::perm_req, refused},
    {1021, Verdict::perm_req, refused},
    {1022, Verdict::perm_req, refused},
    {1030, Verdict::transient, down},
    {1040, Verdict::perm_rcpt, recipient},
    {1050, Verdict::suppress, bad_number},
    {1060, config, account},
    {1070, config, account},
    {1080, config, account},
    {1090, Verdict::perm_req, Reason::content_too_large},
    {1100, Verdict::transient, down},
    {1110, config, account},
    {1120, Verdict::perm_rcpt, recipient},
    {1130, Verdict::perm_req, refused},
    {1140, config, account},
    {1150, Verdict::perm_req, refused},
    {1160, config, account},
    {1170, Verdict::suppress, bad_number},
    {1180, Verdict::transient, down},
    {1190, Verdict::suppress, bad_number},
    {1200, Verdict::perm_rcpt, recipient},
    {1210, Verdict::perm_rcpt, recipient},
    {1220, Verdict::transient, down},
    {1230, Verdict::transient, down},
    {1240, Verdict::suppress, Reason::consent_withdrawn},
    {1241, Verdict::throttle, Reason::throttled, minutes{1}},
    {1250, Verdict::perm_rcpt, recipient},
    {1260, Verdict::perm_rcpt, recipient},
    {1270, Verdict::perm_rcpt, recipient},
    {1280, Verdict::perm_rcpt, recipient},
    {1290, Verdict::perm_rcpt, recipient},
    {1300, Verdict::suppress, bad_number},
    {1310, Verdict::perm_rcpt, recipient},
    {1320, Verdict::ok, Reason::none},
    {1330, Verdict::perm_rcpt, recipient},
    {1331, Verdict::transient, down},
    {1340, Verdict::perm_rcpt, recipient},
    {1350, Verdict::perm_rcpt, recipient},
    {1360, Verdict::perm_rcpt, Reason::past_expiry},
    {1370, Verdict::perm_rcpt, recipient},
    {1380, Verdict::perm_req, refused},
    {1381, Verdict::perm_req, refused},
    {1382, Verdict::perm_req, refused},
    {1999, Verdict::perm_req, refused},  // One we do not know.
};

std::string problem(const std::string& code) {
    return R"({"type":"https://developer.vonage.com/api-errors/messages#)" + code +
           R"(","title":"15558675310","detail":"15558675310","instance":"x"})";
}

std::string part(int status, const std::string& id = "") {
    return fmt::format(R"({{"to":"15558675310","status":"{}","error-text":"15558675310")", status) +
           (id.empty() ? "" : R"(,"message-id":")" + id + "\"") + "}";
}

BatchAnswer read_sms(const std::string& parts, int status = 200) {
    return vonage::read_sms_answer(
        answered(status, R"({"message-count":"1","messages":[)" + parts + "]}"), test_now);
}

TEST(VonageSms, FollowsTheTable) {
    for (const auto& row : sms_rows) {
        const auto answer = read_sms(part(row.code));
        SCOPED_TRACE(row.code);
        expect_row({"", 200, "", row.verdict, row.reason, row.wait}, answer);
        EXPECT_EQ(answer.fewer_requests, row.code == 10);
        EXPECT_EQ(answer.detail.find("5558675310"), std::string::npos);
        EXPECT_TRUE(answer.detail.ends_with(fmt::format("(status {})", row.code)));
    }
}

TEST(VonageSms, ReadsTheFirstId) {
    const auto answer = read_sms(part(0, "0A01") + "," + part(0, "0A02"));
    EXPECT_EQ(answer.verdict, Verdict::ok);
    EXPECT_EQ(answer.provider_id, "0A01");
    EXPECT_EQ(read_sms(part(0)).reason, Reason::answer_unreadable) << "without an id";
}

TEST(VonageSms, TakesTheWorstOverAllParts) {
    EXPECT_EQ(read_sms(part(1) + "," + part(9) + "," + part(6)).verdict, config);
    EXPECT_EQ(read_sms(part(6) + "," + part(5)).verdict, Verdict::perm_rcpt);
    EXPECT_EQ(read_sms(part(0, "a") + "," + part(7)).verdict, Verdict::suppress);
    EXPECT_EQ(read_sms(part(5) + "," + part(1)).verdict, Verdict::throttle);
}

TEST(VonageSms, SendsNoTextAgainOfWhichAPartIsOnItsWay) {
    for (const int status : {1, 4, 5, 10}) {
        const auto answer = read_sms(part(0, "a") + "," + part(status));
        EXPECT_EQ(answer.verdict, Verdict::ambiguous) << status;
        EXPECT_FALSE(answer.fewer_requests);
    }
}

TEST(VonageSms, FallsBackOnTheStatusOfHttp) {
    const auto verdict = [](int status) {
        return vonage::read_sms_answer(answered(status, "<html>"), test_now).verdict;
    };
    EXPECT_EQ(verdict(429), Verdict::throttle);
    for (const int status : {500, 502, 503, 504}) {
        EXPECT_EQ(verdict(status), Verdict::ambiguous) << "a gateway's";
    }
    EXPECT_EQ(verdict(401), config);
    EXPECT_EQ(verdict(200), Verdict::ambiguous);
    for (const std::string body :
         {"", "[]", "{}", R"({"messages":[]})", R"({"messages":{}})", R"({"messages":[1]})",
          R"({"messages":[{}]})", R"({"messages":[{"status":0}]})",
          R"({"messages":[{"status":"0x"}]})", R"({"messages":[{"status":""}]})"}) {
        const auto answer = vonage::read_sms_answer(answered(200, body), test_now);
        EXPECT_EQ(answer.reason, Reason::answer_unreadable) << body;
    }
}

TEST(VonageSms, KnowsItsOwnProblems) {
    const auto verdict = [](const std::string& code) {
        return vonage::read_sms_answer(answered(503, problem(code)), test_now).verdict;
    };
    EXPECT_EQ(verdict("1030"), Verdict::transient);
    EXPECT_EQ(verdict("new-fault"), Verdict::transient);
    EXPECT_EQ(verdict("1000"), Verdict::throttle);
}

TEST(VonageMessages, FollowsTheTable) {
    for (const auto& row : messages_rows) {
        const int status = row.code == 1000 ? 429 : 422;
        const auto answer = vonage::read_messages_answer(
            answered(status, problem(std::to_string(row.code))), test_now);
        SCOPED_TRACE(row.code);
        expect_row({"", status, "", row.verdict, row.reason, row.wait}, answer);
        EXPECT_EQ(answer.recipient_only, row.code == 1241);
        EXPECT_EQ(answer.detail.find("5558675310"), std::string::npos);
    }
}

TEST(VonageMessages, FallsBackOnTheStatusOfHttp) {
    const auto verdict = [](int status, const std::string& body) {
        return vonage::read_messages_answer(answered(status, body), test_now).verdict;
    };
    for (const auto& body :
         {std::string{}, std::string{"<html>"}, std::string{"{}"}, problem("unauthorized"),
          problem(""), problem("1e3"), problem("99999999999"), std::string{R"({"type":1020})"}}) {
        EXPECT_EQ(verdict(401, body), config) << body;
        EXPECT_EQ(verdict(402, body), config) << body;
        EXPECT_EQ(verdict(403, body), config) << body;
        const bool is_own = body.find("developer.vonage.com") != std::string::npos;
        const auto refusal = is_own ? Verdict::perm_req : Verdict::transient;
        const auto fault = is_own ? Verdict::transient : Verdict::ambiguous;
        EXPECT_EQ(verdict(400, body), refusal) << body;
        EXPECT_EQ(verdict(422, body), refusal) << body;
        EXPECT_EQ(verdict(429, body), Verdict::throttle) << body;
        EXPECT_EQ(verdict(500, body), fault) << body;
        EXPECT_EQ(verdict(504, body), fault) << body;
        EXPECT_EQ(verdict(202, body), Verdict::ambiguous) << body;
    }
}

TEST(VonageMessages, ReadsTheUuid) {
    const auto answer = vonage::read_messages_answer(
        answered(202, R"({"message_uuid":"aaaaaaaa-bbbb-cccc-dddd-0123456789ab"})"), test_now);
    EXPECT_EQ(answer.verdict, Verdict::ok);
    EXPECT_EQ(answer.provider_id, "aaaaaaaa-bbbb-cccc-dddd-0123456789ab");
}

}  // namespace
}  // namespace fanfare::testing
