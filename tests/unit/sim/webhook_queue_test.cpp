#include "sim/webhooks/webhook_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <string>
#include <vector>

namespace fanfare::sim {
namespace {

using testing::ElementsAre;
using Kind = EventKind;

constexpr ProviderIndex mailgun = 0;
constexpr ProviderIndex sendgrid = 1;
constexpr ProviderIndex ses = 2;

class WebhookQueueTest : public testing::Test {
protected:
    void set(ProviderIndex provider, const std::string& json) {
        auto settings = queue_.settings(provider);
        ASSERT_EQ(settings.change(boost::json::parse(json).as_object()), "");
        queue_.set_settings(provider, std::move(settings));
    }

    void take(ProviderIndex provider, int count, Scheme scheme = Scheme::mailgun) {
        std::vector<Delivery> deliveries;
        for (int i = 0; i < count; ++i) {
            auto& delivery = deliveries.emplace_back();
            delivery.scheme = scheme;
            delivery.address = std::to_string(i) + "@example.com";
            delivery.message_id = "id";
            delivery.data = {{"fanfare", "job.1"}, {"empty", ""}};
        }
        queue_.take(provider, "job.1", deliveries, clock_);
    }

    void answer(const WebhookRequest& webhook, int status) {
        queue_.done(webhook.id, {true, status}, clock_);
    }

    /// Answers all that is due, and says what it was.
    std::vector<Kind> answer_all(int status = 200) {
        std::vector<Kind> told;
        while (const auto webhook = queue_.next(clock_)) {
            for (const auto& event : webhook->events) told.push_back(event.kind);
            answer(*webhook, status);
        }
        return told;
    }

    std::int64_t count(ProviderIndex provider, std::string_view name) const {
        return queue_.summary(provider).at(name).to_number<std::int64_t>();
    }

    ManualClock clock_{TimePoint{std::chrono::seconds{1'767'225'600}}};
    WebhookQueue queue_{1, {"mailgun", "sendgrid", "ses"}};
};

TEST_F(WebhookQueueTest, IsOffUntilToldAUrl) {
    EXPECT_FALSE(queue_.wants(mailgun));
    set(mailgun, R"({"webhook_url":"https://h/"})");
    EXPECT_TRUE(queue_.wants(mailgun));
    EXPECT_FALSE(queue_.wants(sendgrid));
    set(mailgun, R"({"webhook_url":""})");
    EXPECT_FALSE(queue_.wants(mailgun));
}

TEST_F(WebhookQueueTest, TellsOneAfterTheOther) {
    set(mailgun, R"({"webhook_url":"https://h/x","clicked_rate":1})");
    take(mailgun, 1);
    const auto first = queue_.next(clock_);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->posting.url, "https://h/x");
    EXPECT_EQ(first->events.at(0).kind, Kind::delivered);
    EXPECT_EQ(first->events.at(0).delivery.address, "0@example.com");
    EXPECT_EQ(first->events.at(0).delivery.data.at(0).second, "job.1");
    EXPECT_FALSE(queue_.next(clock_)) << "the next waits for the answer";
    EXPECT_EQ(count(mailgun, "pending"), 1);
    answer(*first, 200);
    EXPECT_THAT(answer_all(), ElementsAre(Kind::opened, Kind::clicked));
    EXPECT_EQ(count(mailgun, "pending"), 0);
    EXPECT_EQ(count(mailgun, "answered"), 3);
    const auto lines = queue_.lines(0, 10);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].job, "job");
    EXPECT_EQ(lines[0].told, Kind::clicked);
}

TEST_F(WebhookQueueTest, ReorderedEventsEndInTheSameState) {
    set(mailgun, R"({"webhook_url":"https://h/","opened_rate":1,"reorder_rate":1})");
    take(mailgun, 1);
    EXPECT_THAT(answer_all(), ElementsAre(Kind::opened, Kind::delivered));
    EXPECT_EQ(queue_.lines(0, 1).at(0).told, Kind::opened);
}

TEST_F(WebhookQueueTest, RepeatsAreTheSameEvent) {
    set(mailgun, R"({"webhook_url":"https://h/","duplicate_rate":1})");
    take(mailgun, 1);
    const auto first = queue_.next(clock_);
    answer(*first, 200);
    const auto second = queue_.next(clock_);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->events.at(0).number, first->events.at(0).number);
    EXPECT_EQ(second->events.at(0).happened_ms, first->events.at(0).happened_ms);
    answer(*second, 200);
    EXPECT_FALSE(queue_.next(clock_));
    EXPECT_EQ(count(mailgun, "answered"), 1);
    EXPECT_EQ(count(mailgun, "duplicated"), 1);
}

TEST_F(WebhookQueueTest, WaitsBeforeItTriesAgain) {
    set(mailgun, R"({"webhook_url":"https://h/","webhook_retry_scale":0.01})");
    take(mailgun, 1);
    answer(*queue_.next(clock_), 503);
    EXPECT_FALSE(queue_.next(clock_));
    ASSERT_TRUE(queue_.next_due());
    EXPECT_EQ(*queue_.next_due() - clock_.steady_now(), std::chrono::seconds{6});
    clock_.advance(std::chrono::seconds{6});
    EXPECT_THAT(answer_all(), ElementsAre(Kind::delivered));
    EXPECT_EQ(count(mailgun, "failed"), 1);
    EXPECT_EQ(count(mailgun, "given_up"), 0);
}

TEST_F(WebhookQueueTest, GivesUpAndGoesOn) {
    set(mailgun, R"({"webhook_url":"https://h/","opened_rate":1,"webhook_retry_scale":0})");
    take(mailgun, 1);
    EXPECT_THAT(answer_all(406), ElementsAre(Kind::delivered, Kind::opened));
    EXPECT_EQ(count(mailgun, "given_up"), 2);
    EXPECT_EQ(queue_.lines(0, 1).at(0).told, Kind::none);
    take(mailgun, 1);
    EXPECT_EQ(answer_all(500).size(), 16U) << "each once and seven times more";
}

TEST_F(WebhookQueueTest, KeepsToItsConcurrency) {
    set(mailgun, R"({"webhook_url":"https://h/","webhook_concurrency":2})");
    take(mailgun, 5);
    const auto first = queue_.next(clock_);
    const auto second = queue_.next(clock_);
    EXPECT_FALSE(queue_.next(clock_));
    EXPECT_FALSE(queue_.next_due()) << "an answer comes first";
    answer(*first, 200);
    EXPECT_TRUE(queue_.next(clock_));
}

TEST_F(WebhookQueueTest, WaitsForItsDelay) {
    set(mailgun, R"({"webhook_url":"https://h/","webhook_delay_ms":500})");
    take(mailgun, 1);
    EXPECT_FALSE(queue_.next(clock_));
    clock_.advance(std::chrono::milliseconds{500});
    EXPECT_TRUE(queue_.next(clock_));
}

TEST_F(WebhookQueueTest, SendGridTellsOfManyAtOnce) {
    set(sendgrid, R"({"webhook_url":"https://h/","webhook_batch":3})");
    take(sendgrid, 7, Scheme::sendgrid);
    const auto first = queue_.next(clock_);
    EXPECT_EQ(first->events.size(), 3U);
    EXPECT_NE(first->keys->sendgrid, nullptr);
    answer(*first, 200);
    EXPECT_EQ(answer_all().size(), 4U);
    EXPECT_EQ(count(sendgrid, "posts"), 3);
    EXPECT_EQ(count(sendgrid, "answered"), 7);
}

TEST_F(WebhookQueueTest, AsksForASubscriptionFirst) {
    set(ses, R"({"webhook_url":"https://h/","await_confirmation":true})");
    take(ses, 1, Scheme::ses);
    const auto question = queue_.next(clock_);
    ASSERT_TRUE(question);
    EXPECT_TRUE(question->events.empty());
    answer(*question, 200);
    EXPECT_FALSE(queue_.next(clock_));
    EXPECT_FALSE(queue_.confirm("another"));
    EXPECT_TRUE(queue_.confirm(question->subscription_token));
    EXPECT_EQ(queue_.summary(ses).at("subscription_confirmed"), true);
    EXPECT_THAT(answer_all(), ElementsAre(Kind::delivered));
}

TEST_F(WebhookQueueTest, SkipsWhatHasNoUrl) {
    set(mailgun, R"({"webhooks":true})");
    take(mailgun, 2);
    EXPECT_EQ(count(mailgun, "skipped"), 2);
    EXPECT_EQ(count(mailgun, "messages"), 0);
    EXPECT_FALSE(queue_.next(clock_));
}

TEST_F(WebhookQueueTest, ResetForgetsEvenWhatIsOnItsWay) {
    set(mailgun, R"({"webhook_url":"https://h/"})");
    take(mailgun, 2);
    const auto first = queue_.next(clock_);
    queue_.reset();
    answer(*first, 500);
    EXPECT_FALSE(queue_.next(clock_));
    EXPECT_EQ(count(mailgun, "pending"), 0);
    EXPECT_EQ(count(mailgun, "in_flight"), 0);
    EXPECT_TRUE(queue_.lines(0, 10).empty());
    EXPECT_TRUE(queue_.wants(mailgun));
}

TEST_F(WebhookQueueTest, AKeyOfTheSettingsWins) {
    set(mailgun, R"({"webhook_url":"https://h/","webhook_key":"mine"})");
    take(mailgun, 1);
    EXPECT_EQ(queue_.next(clock_)->keys->mailgun_signing_key, "mine");
}

}  // namespace
}  // namespace fanfare::sim
