#include "sim/providers/twilio/twilio.hpp"

#include "sim/providers/twilio/sms_text.hpp"
#include "tests/unit/sim/provider_case.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

namespace fanfare::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto path = "/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json";
constexpr auto good_key =
    "Basic "
    "QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTowMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==";

OwnedRequest form(std::string body) {
    return {.path = path,
            .headers = {{"Authorization", good_key},
                        {"Content-Type", "application/x-www-form-urlencoded"}},
            .body = std::move(body)};
}

struct Case {
    const char* why;
    std::string body;
    int code;  // 0: created.
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.why; }

class TwilioTest : public testing::TestWithParam<Case> {};

TEST_P(TwilioTest, AnswersAsTwilioDoes) {
    auto request = form(GetParam().body);
    Checked checked;
    check(*make_twilio({}), request, checked);
    const auto answer = boost::json::parse(checked.answer.body).as_object();
    if (GetParam().code == 0) {
        EXPECT_EQ(checked.answer.status, 201) << checked.answer.body;
        EXPECT_EQ(checked.kind, Checked::Kind::message);
        EXPECT_THAT(checked.recipients, ElementsAre("+15558675310"));
        return;
    }
    EXPECT_EQ(checked.kind, Checked::Kind::bad);
    EXPECT_EQ(answer.at("code"), GetParam().code);
    EXPECT_EQ(answer.at("status"), checked.answer.status);
    EXPECT_TRUE(checked.recipients.empty());
}

const std::string to_from = "To=%2B15558675310&From=%2B15005550006";

INSTANTIATE_TEST_SUITE_P(
    All, TwilioTest,
    testing::Values(
        Case{"good", to_from + "&Body=Hi", 0},
        Case{"service", "To=%2B15558675310&Body=Hi&MessagingServiceSid=MG" + std::string(32, 'a'),
             0},
        Case{"sender name", "To=%2B15558675310&Body=Hi&From=Fanfare", 0},
        Case{"1600 characters", to_from + "&Body=" + std::string(1'600, 'x'), 0},
        Case{"no To", "From=%2B15005550006&Body=Hi", 21604},
        Case{"plus not encoded", "To=+15558675310&From=%2B15005550006&Body=Hi", 21211},
        Case{"letters in To", "To=%2B1555CALLME&From=%2B15005550006&Body=Hi", 21211},
        Case{"no sender", "To=%2B15558675310&Body=Hi", 21603},
        Case{"bad service", "To=%2B15558675310&Body=Hi&MessagingServiceSid=MG1", 21701},
        Case{"long sender name", "To=%2B15558675310&Body=Hi&From=FanfareFanfare", 21212},
        Case{"to itself", "To=%2B15558675310&From=%2B15558675310&Body=Hi", 21266},
        Case{"no body", to_from, 21602},
        Case{"1601 characters", to_from + "&Body=" + std::string(1'601, 'x'), 21617},
        Case{"not UTF-8", to_from + "&Body=%ff", 20001},
        Case{"callback with underscore", to_from + "&Body=Hi&StatusCallback=https%3A%2F%2Fa_b.c%2F",
             21609},
        Case{"validity", to_from + "&Body=Hi&ValidityPeriod=36001", 20001},
        Case{"schedule without service",
             to_from + "&Body=Hi&ScheduleType=fixed&SendAt=2026-01-01T01:00:00Z", 35118},
        Case{"broken escape", to_from + "&Body=%2", 20001}));

TEST(Twilio, ReadsTheReferenceOfTheCallback) {
    auto request = form(to_from +
                        "&Body=Hi&StatusCallback=https%3A%2F%2Fh.example.com%2Ft%3Fn%3D1%26ref%"
                        "3Djob%252D1.4%23rc%3D1");
    Checked checked;
    check(*make_twilio({}), request, checked);
    EXPECT_EQ(checked.reference, "job-1.4");
}

TEST(Twilio, ChecksAccountAndToken) {
    Checked checked;
    auto request = form(to_from + "&Body=Hi");
    request.headers[0].second = "Basic eDp5";
    check(*make_twilio({}), request, checked);
    EXPECT_EQ(checked.answer.status, 401);
    EXPECT_THAT(checked.answer.body, HasSubstr("\"code\":20003"));
    request = form(to_from + "&Body=Hi");
    request.path = "/2010-04-01/Accounts/AC00000000000000000000000000000002/Messages.json";
    check(*make_twilio({}), request, checked);
    EXPECT_EQ(checked.answer.status, 404);
}

TEST(Twilio, MagicNumbersOnlyWithTestCredentials) {
    ProviderOptions options;
    options.twilio_test_credentials = true;
    const auto twilio = make_twilio(options);
    Checked checked;
    const std::pair<const char*, int> cases[] = {{"To=%2B15005550001", 21211},
                                                 {"To=%2B15005550004", 21610},
                                                 {"To=%2B15005550009", 21614},
                                                 {"To=%2B15558675310", 0}};
    for (const auto& [to, code] : cases) {
        auto request = form(std::string{to} + "&From=%2B15005550006&Body=Hi");
        check(*twilio, request, checked);
        const auto answer = boost::json::parse(checked.answer.body).as_object();
        if (code == 0) {
            EXPECT_EQ(checked.kind, Checked::Kind::other);  // Nothing is sent.
        } else {
            EXPECT_EQ(answer.at("code"), code) << to;
        }
        check(*make_twilio({}), request, checked);
        EXPECT_EQ(checked.answer.status, 201) << to;
    }
}

TEST(Twilio, TooManyAtOnceIs20429) {
    Answer answer;
    make_twilio({})->refuse({.kind = Trouble::Kind::concurrency,
                             .recipient = "+15558675310",
                             .code = {},
                             .concurrent = 12},
                            answer);
    EXPECT_EQ(answer.status, 429);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":20429"));
    EXPECT_EQ(answer.headers.front().second, "12");
}

TEST(Twilio, RefusesWithTheCodeAskedFor) {
    Answer answer;
    make_twilio({})->refuse(
        {.kind = Trouble::Kind::refuse, .recipient = "+15558675310", .code = "21610"}, answer);
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":21610"));
}

TEST(SmsText, CountsSegments) {
    const std::pair<std::string, std::size_t> cases[] = {
        {"Hello", 1},
        {std::string(160, 'a'), 1},
        {std::string(161, 'a'), 2},
        {std::string(306, 'a'), 2},
        {std::string(307, 'a'), 3},
        {std::string(80, '['), 1},
        {std::string(81, '['), 2},
        {"Grüße", 1},
        {std::string(70, 'a') + "€", 1},
        {std::string(69, 'a') + "ł", 1},
        {std::string(70, 'a') + "ł", 2},
        {std::string(68, 'a') + "🎵", 1},
        {std::string(69, 'a') + "🎵", 2},
    };
    for (const auto& [text, segments] : cases) EXPECT_EQ(count_segments(text), segments) << text;
}

}  // namespace
}  // namespace fanfare::sim
