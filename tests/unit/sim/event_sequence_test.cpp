#include "sim/webhooks/event_sequence.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <map>
#include <string>
#include <vector>

namespace fanfare::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Kind = EventKind;

std::vector<Kind> kinds(EventKind outcome, Scheme scheme, const SequenceOptions& options = {}) {
    const auto sequence = plan_events(outcome, scheme, options);
    return {sequence.kinds.begin(), sequence.kinds.begin() + sequence.size};
}

TEST(WebhookCourse, TellsWhatLeadsToAnOutcome) {
    EXPECT_THAT(kinds(Kind::clicked, Scheme::mailgun),
                ElementsAre(Kind::delivered, Kind::opened, Kind::clicked));
    EXPECT_THAT(kinds(Kind::complained, Scheme::ses),
                ElementsAre(Kind::delivered, Kind::complained));
    EXPECT_THAT(kinds(Kind::hard_bounced, Scheme::sendgrid), ElementsAre(Kind::hard_bounced));
    EXPECT_THAT(kinds(Kind::unsubscribed, Scheme::twilio), ElementsAre(Kind::unsubscribed));
    EXPECT_THAT(kinds(Kind::none, Scheme::mailgun), ElementsAre());
    EXPECT_THAT(kinds(Kind::opened, Scheme::mailgun,
                      {.progress = true, .deferred = true, .reversed = true}),
                ElementsAre(Kind::opened, Kind::delivered, Kind::deferred, Kind::accepted));
}

TEST(WebhookCourse, SharesAreKeptAndAnAddressKeepsItsFate) {
    WebhookSettings settings;
    settings.hard_bounce_rate = 0.2;
    settings.soft_bounce_rate = 0.1;
    settings.complaint_rate = 0.5;
    std::map<EventKind, int> counts;
    for (int i = 0; i < 10'000; ++i) {
        const auto address = std::to_string(i) + "@example.com";
        const auto outcome = decide_outcome(settings, 1, Scheme::mailgun, address);
        EXPECT_EQ(decide_outcome(settings, 1, Scheme::mailgun, address), outcome);
        ++counts[outcome];
    }
    EXPECT_NEAR(counts[Kind::hard_bounced], 2'000, 200);
    EXPECT_NEAR(counts[Kind::soft_bounced], 1'000, 150);
    EXPECT_NEAR(counts[Kind::complained], 3'500, 250);
    EXPECT_NEAR(counts[Kind::delivered], 3'500, 250);
}

TEST(WebhookCourse, AListedAddressHasItsOutcome) {
    WebhookSettings settings;
    ASSERT_EQ(settings.change(
                  boost::json::parse(
                      R"({"hard_bounce_rate":1,"outcomes":{"a@b.c":"opened","+1555":"opened"}})")
                      .as_object()),
              "");
    EXPECT_EQ(decide_outcome(settings, 1, Scheme::mailgun, "a@b.c"), Kind::opened);
    EXPECT_EQ(decide_outcome(settings, 1, Scheme::mailgun, "x@b.c"), Kind::hard_bounced);
    // No SMS is seen to be opened.
    EXPECT_EQ(decide_outcome(settings, 1, Scheme::twilio, "+1555"), Kind::delivered);
}

TEST(WebhookCourse, EachProviderRetriesInItsOwnWay) {
    using std::chrono::seconds;
    const Reply refused{.connected = true, .status = 500};
    const Reply unreachable{.connected = false, .status = 0};
    EXPECT_EQ(retry_wait(Scheme::mailgun, 1, refused, ""), seconds{600});
    EXPECT_EQ(retry_wait(Scheme::mailgun, 7, refused, ""), seconds{14'400});
    EXPECT_EQ(retry_wait(Scheme::mailgun, 8, refused, ""), std::nullopt);
    EXPECT_EQ(retry_wait(Scheme::mailgun, 1, {.connected = true, .status = 406}, ""), std::nullopt);
    EXPECT_NE(retry_wait(Scheme::ses, 3, refused, ""), std::nullopt);
    EXPECT_EQ(retry_wait(Scheme::ses, 4, refused, ""), std::nullopt);
    // Twilio: once, and only when there was no connection, unless the URL says more.
    EXPECT_EQ(retry_wait(Scheme::twilio, 1, refused, "https://h/?r=1"), std::nullopt);
    EXPECT_NE(retry_wait(Scheme::twilio, 1, unreachable, "https://h/?r=1"), std::nullopt);
    EXPECT_EQ(retry_wait(Scheme::twilio, 2, unreachable, "https://h/?r=1"), std::nullopt);
    EXPECT_NE(retry_wait(Scheme::twilio, 3, refused, "https://h/#rc=3&rp=all"), std::nullopt);
    EXPECT_EQ(retry_wait(Scheme::twilio, 4, refused, "https://h/#rc=3&rp=all"), std::nullopt);
    EXPECT_NE(retry_wait(Scheme::twilio, 1, refused, "https://h/#rp=4xx,5xx"), std::nullopt);
    EXPECT_EQ(retry_wait(Scheme::twilio, 1, refused, "https://h/#rp=4xx"), std::nullopt);
}

std::string problem_of(const std::string& json) {
    WebhookSettings settings;
    return settings.change(boost::json::parse(json).as_object());
}

TEST(WebhookSettingsTest, RefusesWhatIsWrong) {
    EXPECT_THAT(problem_of(R"({"delivered_rate":1.5})"), HasSubstr("delivered_rate"));
    EXPECT_THAT(problem_of(R"({"webhook_url":"ftp://x"})"), HasSubstr("webhook_url"));
    EXPECT_THAT(problem_of(R"({"signature_method":"rot13"})"), HasSubstr("signature_method"));
    EXPECT_THAT(problem_of(R"({"outcomes":{"a":"deferred"}})"), HasSubstr("outcomes"));
    EXPECT_THAT(problem_of(R"({"webhooks":1})"), HasSubstr("webhooks"));
    EXPECT_THAT(problem_of(R"({"latency_ms":1})"), HasSubstr("unknown"));
}

TEST(WebhookSettingsTest, ShowsNoKey) {
    WebhookSettings settings;
    ASSERT_EQ(settings.change(boost::json::parse(R"({"webhook_key":"hush"})").as_object()), "");
    boost::json::object shown;
    settings.show(shown);
    EXPECT_THAT(boost::json::serialize(shown), Not(HasSubstr("hush")));
    EXPECT_EQ(settings.key, "hush");
}

}  // namespace
}  // namespace fanfare::sim
