#include "producer/receipts/webhook_handler.hpp"
#include "core/async/task_group.hpp"
#include "receipts_case.hpp"
#include "tests/support/coroutines.hpp"

#include <prometheus/text_serializer.h>
#include <boost/asio/co_spawn.hpp>

namespace fanfare::test {
namespace {

namespace asio = boost::asio;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Settings four_accounts() {
    Settings settings;
    settings.accounts = {account("mailgun", {{"webhook_signing_key", "k"}}),
                         account("ses", {}, {{"topic_arn", vector_topic}}),
                         account("vonage", {{"signature_secret", "s"}}), account("fcm", {})};
    return settings;
}

/// A handler whose broker and whose SNS do as they are told.
class WebhookHandlerTest : public ReceiptsTest {
protected:
    WebhookHandlerTest() { handler.add_routes(router); }

    HttpReply send(HttpCall call, const std::string& name = "mailgun") {
        call.path = "/webhooks/" + name;
        auto match = router.find(call.method, call.path);
        call.params = std::move(match.params);
        auto opened = enter(*match.route, call);
        if (auto* const reply = std::get_if<HttpReply>(&opened)) return std::move(*reply);
        return run(context, std::get<HttpHandler>(opened)(call));
    }

    /// What stands against a call before its body is read, or who serves it.
    std::variant<HttpHandler, HttpReply> enter(const Route& route, HttpCall call) {
        call.body.clear();
        return run(context, route.options.gate(call));
    }

    asio::awaitable<bool> publish(std::vector<ReceiptBatch> batches) {
        ++publishings;
        if (broker_is_slow) co_await answered.wait();
        if (broker_is_up) {
            for (auto& batch : batches) published.push_back(std::move(batch));
        }
        co_return broker_is_up;
    }

    asio::awaitable<std::optional<std::string>> fetch(std::string url) {
        fetched.push_back(std::move(url));
        if (!sns_is_up) co_return std::nullopt;
        co_return certificate;
    }

    std::string metrics() { return prometheus::TextSerializer{}.Serialize(registry->Collect()); }

    const std::string bounce =
        R"({"event":"failed","severity":"permanent","reason":"bounce","recipient":"a@x",)" +
        mailgun_variables() + "}";
    Settings settings = four_accounts();
    ManualClock clock{TimePoint{std::chrono::seconds{vector_time}}};
    asio::io_context context{1};
    bool broker_is_up = true;
    bool broker_is_slow = false;
    Signal answered{context.get_executor()};
    bool sns_is_up = true;
    int publishings = 0;
    std::vector<ReceiptBatch> published;
    std::vector<std::string> fetched;
    Router router;
    std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
    WebhookHandler handler{
        {settings, references, clock, registry,
         [this](std::vector<ReceiptBatch> batches) { return publish(std::move(batches)); },
         [this](const AccountSettings&, std::string url) { return fetch(std::move(url)); }}};
};

TEST_F(WebhookHandlerTest, AnswersOnceTheBrokerHasIt) {
    EXPECT_EQ(send(mailgun_call("k", bounce)).status, 200);
    ASSERT_THAT(published, SizeIs(1));
    EXPECT_EQ(published[0].account, "mailgun");
    EXPECT_EQ(published[0].receipts.at(0).event, ReceiptEvent::hard_bounced);
    EXPECT_THAT(metrics(),
                HasSubstr(R"(fanfare_webhooks_total{account="mailgun",result="stored"} 1)"));
    EXPECT_THAT(
        metrics(),
        HasSubstr(R"(fanfare_receipts_received_total{account="mailgun",event="hard_bounced"} 1)"));
}

TEST_F(WebhookHandlerTest, HearsAnHonestRetryAndNoRepetition) {
    broker_is_up = false;
    EXPECT_EQ(send(mailgun_call("k", bounce)).status, 503);
    EXPECT_THAT(published, IsEmpty());
    broker_is_up = true;
    EXPECT_EQ(send(mailgun_call("k", bounce)).status, 200) << "the same token, not stored before";
    EXPECT_THAT(published, SizeIs(1));
    EXPECT_EQ(send(mailgun_call("k", bounce)).status, 200);
    EXPECT_EQ(publishings, 2) << "the third changes nothing";
    EXPECT_EQ(send(mailgun_call("k", bounce, vector_time, "t2")).status, 200);
    EXPECT_EQ(publishings, 3);
}

TEST_F(WebhookHandlerTest, TwoThatComeTogetherArePublishedOnce) {
    broker_is_slow = true;
    const auto begin = [this](std::optional<int>& status) {
        auto call = std::make_shared<HttpCall>(mailgun_call("k", bounce));
        call->path = "/webhooks/mailgun";
        auto match = router.find("POST", call->path);
        call->params = std::move(match.params);
        const auto opened = enter(*match.route, *call);
        asio::co_spawn(
            context, std::get<HttpHandler>(opened)(*call),
            [call, &status](const std::exception_ptr&, HttpReply reply) { status = reply.status; });
        context.restart();
        context.poll();
    };
    std::optional<int> first;
    std::optional<int> second;
    begin(first);
    EXPECT_FALSE(first) << "the broker has not said anything yet";
    begin(second);
    EXPECT_EQ(second, 503) << "whether the first is stored is not known: not `repeated`";
    EXPECT_EQ(publishings, 1);
    broker_is_up = false;
    answered.notify();
    context.restart();
    context.poll();
    EXPECT_EQ(first, 503);
    broker_is_up = true;
    broker_is_slow = false;
    EXPECT_EQ(send(mailgun_call("k", bounce)).status, 200) << "the token was given back";
    EXPECT_THAT(published, SizeIs(1));
    EXPECT_EQ(send(mailgun_call("k", bounce)).status, 200);
    EXPECT_EQ(publishings, 2);
    EXPECT_THAT(metrics(),
                HasSubstr(R"(fanfare_webhooks_total{account="mailgun",result="in_hand"} 1)"));
}

TEST_F(WebhookHandlerTest, DoesNothingForOthers) {
    EXPECT_EQ(send(mailgun_call("wrong", bounce)).status, 403);
    EXPECT_EQ(send(mailgun_call("k", bounce, vector_time - 601)).status, 403);
    EXPECT_EQ(send(post("", "{}")).status, 401);
    EXPECT_EQ(send(post("", "no json")).status, 406) << "Mailgun shall not try that again";
    EXPECT_EQ(send(mailgun_call("k", bounce), "fcm").status, 404);
    EXPECT_EQ(send(mailgun_call("k", bounce), "nobody").status, 404);
    EXPECT_EQ(send(mailgun_call("k", bounce), "ses").status, 403) << "another account's";
    auto get = mailgun_call("k", bounce);
    get.method = "GET";
    EXPECT_EQ(send(get).status, 405);
    get.method = "HEAD";
    EXPECT_EQ(send(get, "vonage").status, 405);
    EXPECT_EQ(publishings, 0);
}

TEST_F(WebhookHandlerTest, ReadsNoBodyForAnAccountThatIsNone) {
    for (const auto* const name : {"fcm", "nobody", "mailgun"}) {
        HttpCall call;
        call.method = name == std::string_view{"mailgun"} ? "GET" : "POST";
        auto match = router.find(call.method, fmt::format("/webhooks/{}", name));
        call.params = std::move(match.params);
        EXPECT_FALSE(match.route->handler);
        EXPECT_FALSE(match.route->options.gate_knows) << "a name proves nothing";
        const auto opened = enter(*match.route, call);
        EXPECT_TRUE(std::holds_alternative<HttpReply>(opened)) << name;
    }
}

TEST_F(WebhookHandlerTest, FetchesACertificateOnceAndKeepsWhatVerified) {
    const auto news = post("", vector_file("sns_notification_v1.json"));
    sns_is_up = false;
    EXPECT_EQ(send(news, "ses").status, 503);
    sns_is_up = true;
    certificate = "no certificate";
    EXPECT_EQ(send(news, "ses").status, 403);
    certificate = vector_file("test-only-sns-cert.pem");
    EXPECT_EQ(send(news, "ses").status, 200) << "what did not verify was not kept";
    EXPECT_THAT(fetched, SizeIs(3));
    EXPECT_EQ(send(post("", vector_file("sns_notification_v2.json")), "ses").status, 200);
    EXPECT_THAT(fetched, SizeIs(3));
    ASSERT_THAT(published, SizeIs(1)) << "both vectors have one MessageId";
}

TEST_F(WebhookHandlerTest, FetchesLittleForWhoeverAsks) {
    sns_is_up = false;
    const auto ask = [this](int file) {
        auto body = vector_file("sns_notification_v1.json");
        const auto url = fmt::format(
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-{}.pem", file);
        body.replace(body.find(certificate_url), certificate_url.size(), url);
        return send(post("", body), "ses").status;
    };
    for (int i = 0; i < 100; ++i) EXPECT_EQ(ask(i), 503);
    EXPECT_THAT(fetched, SizeIs(10));
    clock.advance(std::chrono::seconds{1});
    EXPECT_EQ(ask(100), 503) << "SNS tries again for an hour";
    EXPECT_THAT(fetched, SizeIs(11));
}

TEST_F(WebhookHandlerTest, ConfirmsASubscriptionAfterItsSignature) {
    const auto body = vector_file("sns_subscription_v1.json");
    EXPECT_EQ(send(post("", body), "ses").status, 200);
    ASSERT_THAT(fetched, SizeIs(2));
    EXPECT_EQ(fetched[0], certificate_url);
    EXPECT_THAT(fetched[1], HasSubstr("Action=ConfirmSubscription"));
    auto forged = body;
    forged.replace(forged.find("&Token=2"), 8, "&Token=3");
    EXPECT_EQ(send(post("", forged), "ses").status, 403);
    EXPECT_THAT(fetched, SizeIs(2)) << "what is forged is not visited";
    EXPECT_EQ(publishings, 0);
}

TEST(SeenTokens, KeepTheLatest) {
    using enum SeenTokens::State;
    SeenTokens tokens;
    for (std::size_t i = 0; i <= SeenTokens::count_max; ++i) {
        const auto token = std::to_string(i);
        EXPECT_EQ(tokens.take(token), fresh);
        tokens.keep(token);
    }
    EXPECT_EQ(tokens.take("0"), fresh);
    EXPECT_EQ(tokens.take("1"), seen);
    EXPECT_EQ(tokens.take(std::to_string(SeenTokens::count_max)), seen);
}

TEST(SeenTokens, AreGivenBackUnlessKept) {
    using enum SeenTokens::State;
    SeenTokens tokens;
    {
        TakenToken taken{tokens, "t"};
        EXPECT_EQ(taken.state(), fresh);
        const TakenToken again{tokens, "t"};
        EXPECT_EQ(again.state(), on_its_way);
    }
    {
        TakenToken taken{tokens, "t"};
        EXPECT_EQ(taken.state(), fresh) << "given back by its first holder";
        { const TakenToken again{tokens, "t"}; }
        const TakenToken third{tokens, "t"};
        EXPECT_EQ(third.state(), on_its_way) << "not given back by somebody else";
        taken.keep();
    }
    const TakenToken after{tokens, "t"};
    EXPECT_EQ(after.state(), seen);
    const TakenToken none{tokens, ""};
    const TakenToken none_again{tokens, ""};
    EXPECT_EQ(none_again.state(), fresh) << "no token is nobody's";
}

}  // namespace
}  // namespace fanfare::test
