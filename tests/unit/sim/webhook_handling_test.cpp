// From an accepted request to what its events say, through the pages of the admin port.

#include "tests/unit/sim/provider_handler_case.hpp"

#include <gmock/gmock.h>

namespace fanfare::sim {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

class WebhookFrontTest : public ProviderHandlerCase {
protected:
    static OwnedRequest mail() {
        return {.path = "/v3/mg.example.org/messages",
                .headers = {{"authorization",
                             "Basic YXBpOmtleS0wMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg=="},
                            {"content-type", "application/x-www-form-urlencoded"}},
                .body =
                    "from=News+%3Cn%40example.org%3E&to=a%40example.com%2Cb%40example.com"
                    "&subject=Hi&text=Hello&v:fanfare=job.1&v:person=%25recipient.id%25"
                    "&recipient-variables=%7B%22a%40example.com%22%3A%7B%22id%22%3A%220.tagA"
                    "%22%7D%2C%22b%40example.com%22%3A%7B%22id%22%3A%221.tagB%22%7D%7D"};
    }

    void answer_all() {
        while (const auto webhook = simulator_.webhook_queue.next(clock_)) {
            simulator_.webhook_queue.done(webhook->id, {true, 200}, clock_);
        }
    }
};

TEST_F(WebhookFrontTest, MailgunGivesBackEachPersonsVariables) {
    admin("POST", "/control", "", R"({"mailgun":{"webhook_url":"https://h/"}})");
    ASSERT_EQ(status_, 200);
    const auto answered = boost::json::parse(send(mail()).answer.body);
    const auto first = simulator_.webhook_queue.next(clock_);
    const auto second = simulator_.webhook_queue.next(clock_);
    ASSERT_TRUE(first && second);
    const auto& delivery = first->events.at(0).delivery;
    EXPECT_EQ("<" + delivery.message_id + ">", answered.at("id").as_string());
    EXPECT_EQ(delivery.address, "a@example.com");
    EXPECT_EQ(delivery.sender, "News <n@example.org>");
    EXPECT_THAT(delivery.data,
                UnorderedElementsAre(std::pair("fanfare", "job.1"), std::pair("person", "0.tagA")));
    EXPECT_THAT(second->events.at(0).delivery.data,
                UnorderedElementsAre(std::pair("fanfare", "job.1"), std::pair("person", "1.tagB")));
}

TEST_F(WebhookFrontTest, TwilioCallsTheMessagesOwnUrl) {
    admin("POST", "/control", "", R"({"twilio":{"webhooks":true,"webhook_key":"t"}})");
    const auto answered = boost::json::parse(send(sms("15558675310", "job.1.2.t")).answer.body);
    const auto webhook = simulator_.webhook_queue.next(clock_);
    ASSERT_TRUE(webhook);
    EXPECT_EQ(webhook->posting.url, "https://h.example/?ref=job.1.2.t");
    EXPECT_EQ(webhook->keys->twilio_token, "t");
    EXPECT_EQ(webhook->events.at(0).delivery.message_id, answered.at("sid").as_string());
    EXPECT_EQ(webhook->events.at(0).delivery.sender, "Fanfare");
}

TEST_F(WebhookFrontTest, WhatWasNotTakenHasNoEvents) {
    control(R"({"webhooks":true,"script":["throttle","lose_before","lose_after"]})");
    send(sms("15558675310"));
    send(sms("15558675311"));
    send(sms("15558675312"));
    const auto webhook = simulator_.webhook_queue.next(clock_);
    ASSERT_TRUE(webhook) << "taken, though its answer was lost";
    EXPECT_EQ(webhook->events.at(0).delivery.address, "+15558675312");
    EXPECT_FALSE(simulator_.webhook_queue.next(clock_));
}

TEST_F(WebhookFrontTest, OffCostsNothing) {
    send(sms("15558675310"));
    EXPECT_EQ(admin("GET", "/oracle/events"), "");
    EXPECT_THAT(admin("GET", "/oracle/webhooks"), HasSubstr(R"("messages":0)"));
}

TEST_F(WebhookFrontTest, ListsWhatWasTold) {
    control(R"({"webhooks":true,"outcomes":{"+15558675310":"hard_bounced"}})");
    send(sms("15558675310", "job.1"));
    send(sms("15558675311", "other.1"));
    EXPECT_EQ(admin("GET", "/oracle/events", "job=job"), "+15558675310\tnone\n");
    answer_all();
    EXPECT_EQ(admin("GET", "/oracle/events", "provider=twilio&job=job"),
              "+15558675310\thard_bounced\n");
    EXPECT_EQ(admin("GET", "/oracle/events"),
              "+15558675310\thard_bounced\n+15558675311\tdelivered\n");
    EXPECT_EQ(admin("GET", "/oracle/events", "provider=mailgun"), "");
    admin("GET", "/oracle/events", "provider=nobody");
    EXPECT_EQ(status_, 400);
    const auto shown = boost::json::parse(admin("GET", "/oracle/webhooks")).at("twilio");
    EXPECT_EQ(shown.at("answered"), 2);
    EXPECT_EQ(shown.at("outcomes").at("hard_bounced"), 1);
    admin("POST", "/oracle/reset");
    EXPECT_EQ(admin("GET", "/oracle/events"), "");
}

TEST_F(WebhookFrontTest, ControlTakesBothKindsOfSettingsOrNeither) {
    admin("POST", "/control", "",
          R"({"twilio":{"latency_ms":7,"webhooks":true,"delivered_rate":9}})");
    EXPECT_EQ(status_, 400);
    EXPECT_FALSE(simulator_.webhook_queue.wants(1));
    const auto shown = boost::json::parse(admin("GET", "/control")).at("twilio");
    EXPECT_EQ(shown.at("latency_ms"), 0);
    EXPECT_EQ(shown.at("webhooks"), false);
    control(R"({"latency_ms":7,"webhooks":true})");
    EXPECT_TRUE(simulator_.webhook_queue.wants(1));
}

TEST_F(WebhookFrontTest, ShowsTheKeysToVerifyWith) {
    const auto keys = boost::json::parse(admin("GET", "/control/webhook-keys"));
    EXPECT_THAT(std::string{keys.at("sendgrid_public_key").as_string()}, HasSubstr("MFkwEwYH"));
    EXPECT_THAT(std::string{keys.at("sns_certificate").as_string()}, HasSubstr("CERTIFICATE"));
}

}  // namespace
}  // namespace fanfare::sim
