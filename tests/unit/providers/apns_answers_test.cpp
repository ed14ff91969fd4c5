#include "core/providers/apns/apns.hpp"

#include "tests/contract/accounts.hpp"
#include "tests/unit/providers/answer_case.hpp"

namespace fanfare::testing {
namespace {

using std::chrono::minutes;

constexpr auto config = Verdict::config;
constexpr auto account = Reason::account_unusable;
constexpr auto refused = Reason::request_refused;
constexpr auto bad_token = Reason::address_invalid;
constexpr auto recipient = Reason::recipient_refused;
constexpr auto down = Reason::provider_unavailable;

std::string body(const std::string& reason) {
    return R"({"reason":")" + reason + R"(","timestamp":1767225600000})";
}

// The fact sheet's table, row by row.
const std::vector<AnswerCase> rows{
    {"BadDeviceToken", 400, "", Verdict::suppress, bad_token},
    {"DeviceTokenNotForTopic", 400, "", Verdict::suppress, bad_token},
    {"MissingDeviceToken", 400, "", Verdict::perm_rcpt, recipient},
    {"BadCollapseId", 400, "", Verdict::perm_req, refused},
    {"BadExpirationDate", 400, "", Verdict::perm_req, refused},
    {"BadMessageId", 400, "", Verdict::perm_req, refused},
    {"BadPriority", 400, "", Verdict::perm_req, refused},
    {"DuplicateHeaders", 400, "", Verdict::perm_req, refused},
    {"InvalidPushType", 400, "", Verdict::perm_req, refused},
    {"PayloadEmpty", 400, "", Verdict::perm_req, refused},
    {"BadTopic", 400, "", config, account},
    {"MissingTopic", 400, "", config, account},
    {"TopicDisallowed", 400, "", config, account},
    {"IdleTimeout", 400, "", Verdict::transient, down},
    {"ExpiredProviderToken", 403, "", config, account},
    {"InvalidProviderToken", 403, "", config, account},
    {"MissingProviderToken", 403, "", config, account},
    {"BadCertificate", 403, "", config, account},
    {"BadCertificateEnvironment", 403, "", config, account},
    {"Forbidden", 403, "", config, account},
    {"UnrelatedKeyIdInToken", 403, "", config, account},
    {"BadEnvironmentKeyIdInToken", 403, "", config, account},
    {"BadEnvironmentKeyInToken", 403, "", config, account},
    {"BadPath", 404, "", Verdict::perm_rcpt, recipient},
    {"MethodNotAllowed", 405, "", config, account},
    {"Unregistered", 410, "", Verdict::suppress, bad_token},
    {"ExpiredToken", 410, "", Verdict::suppress, bad_token},
    {"PayloadTooLarge", 413, "", Verdict::perm_req, Reason::content_too_large},
    {"TooManyRequests", 429, "", Verdict::throttle, Reason::throttled, minutes{1}},
    {"TooManyProviderTokenUpdates", 429, "", config, account},
    {"InternalServerError", 500, "", Verdict::transient, down},
    {"ServiceUnavailable", 503, "", Verdict::transient, down},
    {"Shutdown", 503, "", Verdict::transient, down},
};

TEST(ApnsAnswers, FollowTheTable) {
    for (const auto& row : rows) {
        const auto answer = apns::read_answer(answered(row.status, body(row.name)), test_now);
        SCOPED_TRACE(row.name);
        expect_row(row, answer);
        EXPECT_EQ(answer.renew_credential, row.name == "ExpiredProviderToken");
        EXPECT_EQ(answer.recipient_only, row.name == "TooManyRequests");
        EXPECT_EQ(answer.detail, "apns " + std::to_string(row.status) + ": " + row.name);
    }
}

TEST(ApnsAnswers, FallBackOnTheStatus) {
    const auto verdict = [](int status, const std::string& text) {
        return apns::read_answer(answered(status, text), test_now).verdict;
    };
    for (const std::string& text :
         {std::string{}, std::string{"<html>"}, std::string{"{}"}, body("NewReason"),
          body("badDeviceToken"), std::string{R"({"reason":410})"}}) {
        // A reason that we do not know is Apple's nevertheless.
        const bool is_apples = text == body("NewReason") || text == body("badDeviceToken");
        EXPECT_EQ(verdict(400, text), is_apples ? Verdict::perm_req : Verdict::transient) << text;
        EXPECT_EQ(verdict(403, text), config) << text;
        EXPECT_EQ(verdict(404, text), config) << text;
        EXPECT_EQ(verdict(410, text), config) << text;
        EXPECT_EQ(verdict(413, text), Verdict::perm_req) << text;
        EXPECT_EQ(verdict(429, text), Verdict::throttle) << text;
        const auto fault = is_apples ? Verdict::transient : Verdict::ambiguous;
        EXPECT_EQ(verdict(500, text), fault) << text;
        EXPECT_EQ(verdict(503, text), fault) << text;
        EXPECT_FALSE(apns::read_answer(answered(429, text), test_now).recipient_only);
    }
}

TEST(ApnsAnswers, ReadTheIdOfTheHeader) {
    auto good = answered(200, "");
    good.message_id = "eabeae54-14a8-11e5-b60b-1697f925ec7b";
    const auto answer = apns::read_answer(good, test_now);
    EXPECT_EQ(answer.verdict, Verdict::ok);
    EXPECT_EQ(answer.provider_id, good.message_id);
    good.message_id = "";
    EXPECT_EQ(apns::read_answer(good, test_now).reason, Reason::answer_unreadable);
}

}  // namespace
}  // namespace fanfare::testing
