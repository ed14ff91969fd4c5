// Posts over real sockets of loopback, to a receiver made of the simulator's own server.

#include "sim/webhooks/webhook_sender.hpp"
#include "core/clock/clock.hpp"
#include "sim/http/server.hpp"
#include "sim/webhooks/sns_endpoint.hpp"
#include "tests/unit/sim/provider_case.hpp"
#include "tests/unit/sim/webhook_case.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fanfare::sim {
namespace {

/// Keeps what was posted; answers 503 as often as told, then 200.
class Receiver final : public Handler {
public:
    struct Post {
        std::string path, query, host, signature, body;
    };

    void handle(const Request& request, Reaction& reaction) override {
        const std::lock_guard lock{mutex_};
        posts_.push_back({std::string{request.path}, std::string{request.query},
                          std::string{request.header("host")},
                          std::string{request.header("x-twilio-signature")},
                          std::string{request.body}});
        reaction.answer.status = refusals-- > 0 ? 503 : 200;
        arrived_.notify_all();
    }
    void ended(std::uint8_t) override {}
    void park(std::uint8_t, std::function<void()>) override {}

    /// Once so many have come.
    std::vector<Post> wait_for(std::size_t count) {
        std::unique_lock lock{mutex_};
        arrived_.wait(lock, [&] { return posts_.size() >= count; });
        return posts_;
    }

    int refusals = 0;

private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<Post> posts_;
};

class WebhookSenderTest : public testing::Test {
protected:
    WebhookSenderTest() {
        port_ = server_.listen(0, receiver_, nullptr);
        thread_ = std::jthread{[this] { server_.run(); }};
    }
    ~WebhookSenderTest() override { server_.stop(); }

    void begin(ProviderIndex provider, const std::string& json) {
        auto settings = queue_.settings(provider);
        ASSERT_EQ(settings.change(boost::json::parse(json).as_object()), "");
        settings.connect = "http://127.0.0.1:" + std::to_string(port_);
        queue_.set_settings(provider, std::move(settings));
        webhook_sender_ = std::make_unique<WebhookSender>(queue_, system_clock(), "");
    }

    Receiver receiver_;
    ConnectionRules rules_;
    Server server_{1, system_clock(), rules_};
    std::uint16_t port_ = 0;
    std::jthread thread_;
    WebhookQueue queue_{1, {"twilio", "ses"}};
    std::unique_ptr<WebhookSender> webhook_sender_;
};

TEST_F(WebhookSenderTest, SignsForThePublicUrlAndConnectsElsewhere) {
    begin(0, R"({"webhooks":true})");
    Delivery delivery;
    delivery.scheme = Scheme::twilio;
    delivery.address = "+15558675310";
    delivery.message_id = "SM1";
    delivery.callback = "https://notify.example.com/webhooks/sms?ref=job.1.2.t";
    queue_.take(0, "job.1.2.t", {delivery}, system_clock());
    const auto posts = receiver_.wait_for(1);
    EXPECT_EQ(posts[0].path, "/webhooks/sms");
    EXPECT_EQ(posts[0].query, "ref=job.1.2.t");
    EXPECT_EQ(posts[0].host, "notify.example.com");
    std::string arena;
    std::vector<Field> fields;
    ASSERT_TRUE(parse_form(posts[0].body, arena, fields));
    EXPECT_EQ(posts[0].signature, twilio_signature(Keys{}.twilio_token, delivery.callback, fields));
}

TEST_F(WebhookSenderTest, PostsAgainWhatWasRefused) {
    receiver_.refusals = 3;
    begin(0, R"({"webhooks":true,"webhook_retry_scale":0})");
    Delivery delivery;
    delivery.scheme = Scheme::twilio;
    delivery.address = "+15558675310";
    delivery.callback = "https://notify.example.com/#rc=5&rp=5xx";
    queue_.take(0, "job.1", {delivery}, system_clock());
    const auto posts = receiver_.wait_for(4);
    EXPECT_EQ(posts[0].body, posts[3].body);
}

TEST_F(WebhookSenderTest, TheSubscriptionCanBeConfirmedAtItsUrl) {
    begin(1, R"({"webhook_url":"https://notify.example.com/webhooks/ses"})");
    const TextFields envelope{receiver_.wait_for(1)[0].body};
    const auto url = text_at(envelope.value, "SubscribeURL");
    SnsEndpoint endpoint{queue_, receiver_};
    const auto get = [&](std::string_view path, std::string_view query) {
        Reaction reaction;
        endpoint.handle({.method = "GET", .path = path, .query = query, .headers = {}, .body = {}},
                        reaction);
        return reaction.answer;
    };
    EXPECT_EQ(get("/sns/", "Action=ConfirmSubscription&Token=none").status, 404);
    EXPECT_EQ(queue_.summary(1).at("subscription_confirmed"), false);
    EXPECT_EQ(get("/sns/", url.substr(url.find('?') + 1)).status, 200);
    EXPECT_EQ(queue_.summary(1).at("subscription_confirmed"), true);
    const auto pem = get("/sns/SimpleNotificationService-test.pem", "").body;
    EXPECT_TRUE(verifies(key_of_certificate(pem), "sha1",
                         decoded_base64(text_at(envelope.value, "Signature")),
                         sns_string_to_sign(envelope.fields)));
}

}  // namespace
}  // namespace fanfare::sim
