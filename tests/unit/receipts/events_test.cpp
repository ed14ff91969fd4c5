// Every documented event and code, and what it means for a person.
#include "producer/receipts/bounce.hpp"
#include "producer/receipts/ses_events.hpp"
#include "producer/receipts/vonage_events.hpp"
#include "receipts_case.hpp"

#include "core/reference/compact.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace fanfare::test {
namespace {

using receipts::read_ses_event;

struct Case {
    std::string given;
    std::string event;  // "" for none.
};

TEST_F(ReceiptsTest, MailgunEvents) {
    const auto settings = account("mailgun", {{"webhook_signing_key", "k"}});
    const std::vector<Case> cases{
        {R"("event":"accepted")", "accepted"},
        {R"("event":"delivered")", "delivered"},
        {R"("event":"opened")", "opened"},
        {R"("event":"clicked")", "clicked"},
        {R"("event":"complained")", "complained"},
        {R"("event":"unsubscribed")", "unsubscribed"},
        {R"("event":"rejected")", "soft_bounced"},
        {R"("event":"failed","severity":"temporary","reason":"bounce")", ""},
        {R"("event":"failed")", ""},
        {R"("event":"failed","severity":"permanent","reason":"bounce")", "hard_bounced"},
        {R"("event":"failed","severity":"permanent","reason":"suppress-bounce")", "hard_bounced"},
        {R"("event":"failed","severity":"permanent","reason":"suppress-complaint")", "opted_out"},
        {R"("event":"failed","severity":"permanent","reason":"bounce",)"
         R"("delivery-status":{"code":550,"enhanced-code":"5.1.1"})",
         "hard_bounced"},
        {R"("event":"failed","severity":"permanent","reason":"bounce",)"
         R"("delivery-status":{"code":550,"enhanced-code":"5.7.1"})",
         "soft_bounced"},
        {R"("event":"failed","severity":"permanent","reason":"suppress-unsubscribe")", "opted_out"},
        {R"("event":"failed","severity":"permanent","reason":"old")", "soft_bounced"},
        {R"("event":"failed","severity":"permanent","reason":"espblock")", "soft_bounced"},
        {R"("event":"failed","severity":"permanent","reason":"generic")", "soft_bounced"},
        {R"("event":"failed","severity":"permanent","reason":"generic",)"
         R"("delivery-status":{"code":550,"enhanced-code":"5.1.1"})",
         "hard_bounced"},
        {R"("event":"failed","severity":"permanent","reason":"generic",)"
         R"("delivery-status":{"code":550,"enhanced-code":"5.7.1"})",
         "soft_bounced"},
        {R"("event":"stored")", ""},
        {R"("event":7)", ""},
        {R"("event":"opened","client-info":{"bot":""})", "opened"},
        {R"("event":"opened","client-info":{"bot":"apple"})", ""},
        {R"("event":"clicked","client-info":{"bot":"generic"})", ""},
    };
    for (const auto& c : cases) {
        const auto data = "{" + c.given + "," + mailgun_variables() + "}";
        EXPECT_EQ(event(receive(settings, mailgun_call("k", data))), c.event) << c.given;
    }
}

TEST(Bounces, AreHardWhereTheySpeakOfTheMailbox) {
    for (const auto* const hard : {"", "5.1.1", "5.1.2", "5.1.10", "5.2.1", "5.0.0", "550", "x"}) {
        EXPECT_EQ(receipts::bounce_event(hard), ReceiptEvent::hard_bounced) << hard;
    }
    for (const auto* const soft : {"5.7.1", "5.7.26", "5.2.2", "5.2.3", "5.3.4", "5.4.1", "5.5.0",
                                   "5.6.0", "5.1.7", "5.1.8", "4.7.0", "4.1.1", "4.2.2"}) {
        EXPECT_EQ(receipts::bounce_event(soft), ReceiptEvent::soft_bounced) << soft;
    }
}

TEST_F(ReceiptsTest, MailgunNamesThePerson) {
    const auto data =
        R"({"event":"delivered","id":"e1","timestamp":1767225600.75,"recipient":"a@example.com",)" +
        mailgun_variables() + "}";
    const auto got = std::get<AcceptedWebhook>(
        receive(account("mailgun", {{"webhook_signing_key", "k"}}), mailgun_call("k", data)));
    ASSERT_EQ(got.receipts.size(), 1U);
    EXPECT_EQ(got.receipts[0].reference, (Reference{job, Channel::email, 7, 3}));
    EXPECT_EQ(got.receipts[0].at_unix, 1'767'225'600);
    EXPECT_EQ(got.receipts[0].address, "a@example.com");
    EXPECT_EQ(got.receipts[0].event_id, "e1");
    EXPECT_EQ(got.token, "t1");
    EXPECT_EQ(got.foreign, 0U);
}

// Its signature does not cover the body: whoever got hold of one could name any address.
TEST_F(ReceiptsTest, MailgunSaysNothingWithoutAReferenceOfOurs) {
    const auto settings = account("mailgun", {{"webhook_signing_key", "k"}});
    for (const std::string word : {"complained", "unsubscribed", "delivered"}) {
        const auto event = R"({"event":")" + word + R"(","recipient":"victim@example.com")";
        const auto other = mailgun_variables(Channel::sms);  // Good, but for the other channel.
        for (const auto& data :
             {event + "}", event + "," + other + "}",
              event + R"(,"user-variables":{"fanfare":"x.1","person":"0.AAAAAAAAAAA"}})"}) {
            const auto got = std::get<AcceptedWebhook>(receive(settings, mailgun_call("k", data)));
            EXPECT_TRUE(got.receipts.empty()) << data;
            EXPECT_EQ(got.foreign, 1U);
        }
    }
    const auto bounce = R"({"event":"failed","severity":"permanent","reason":"bounce",)"
                        R"("recipient":"a@example.com",)" +
                        mailgun_variables() + "}";
    EXPECT_EQ(event(receive(settings, mailgun_call("k", bounce))), "hard_bounced");
}

TEST_F(ReceiptsTest, SendGridVectorMeansAHardBounce) {
    const auto& v = vector("sendgrid_event_webhook");
    const auto settings =
        account("sendgrid", {}, {{"webhook_public_key", text(v, "public_key_b64_spki_der")}});
    const auto got = std::get<AcceptedWebhook>(receive(
        settings, post("/", vector_file("sendgrid_payload.bin"),
                       {{"x-twilio-email-event-webhook-signature", text(v, "signature_b64_der")},
                        {"x-twilio-email-event-webhook-timestamp", text(v, "timestamp")}})));
    ASSERT_EQ(got.receipts.size(), 1U);
    EXPECT_EQ(got.receipts[0].event, ReceiptEvent::hard_bounced);
    EXPECT_EQ(got.receipts[0].address, "user@example.com");
    EXPECT_EQ(got.receipts[0].at_unix, 1'767'225'599);
    EXPECT_EQ(got.receipts[0].event_id, "ZXZlbnQtMDAwMQ");
}

std::string ses_event(const std::string& message, ReceiptList list) {
    if (!read_ses_event(message, "m1", list)) return "unreadable";
    const auto received = list.take("");
    return received.receipts.empty() ? "" : std::string{to_string(received.receipts[0].event)};
}

TEST_F(ReceiptsTest, SesEvents) {
    const std::vector<Case> cases{
        {R"("eventType":"Send")", "accepted"},
        {R"("eventType":"Delivery")", "delivered"},
        {R"("notificationType":"Delivery")", "delivered"},
        {R"("eventType":"DeliveryDelay")", ""},
        {R"("eventType":"Bounce","bounce":{"bounceType":"Permanent"})", "hard_bounced"},
        {R"("eventType":"Bounce","bounce":{"bounceType":"Transient"})", "soft_bounced"},
        {R"("eventType":"Bounce","bounce":{"bounceType":"Undetermined"})", "soft_bounced"},
        {R"("eventType":"Complaint")", "complained"},
        {R"("eventType":"Complaint","complaint":{"complaintFeedbackType":"abuse"})", "complained"},
        {R"("eventType":"Complaint","complaint":{"complaintFeedbackType":"other"})", "complained"},
        {R"("eventType":"Complaint","complaint":{"complaintFeedbackType":"not-spam"})", ""},
        {R"("eventType":"Complaint","complaint":{"complaintFeedbackType":"auth-failure"})", ""},
        {R"("eventType":"Reject")", "failed"},
        {R"("eventType":"Rendering Failure")", "failed"},
        {R"("eventType":"Subscription")", ""},
        {R"("eventType":"Subscription",)"
         R"("subscription":{"newTopicPreferences":{"unsubscribeAll":true}})",
         "unsubscribed"},
        {R"("eventType":"Open")", "opened"},
        {R"("eventType":"Click")", "clicked"},
        {R"("eventType":"Other")", ""},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(ses_event("{" + c.given + "}", ReceiptList{references, Channel::email}), c.event)
            << c.given;
    }
    EXPECT_EQ(
        ses_event("Successfully validated SNS topic", ReceiptList{references, Channel::email}),
        "unreadable");
}

TEST_F(ReceiptsTest, SesNamesEachRecipientAndTheSend) {
    auto tag = reference();
    for (int i = 0; i < 3; ++i) tag[tag.find('.')] = '_';
    ReceiptList list{references, Channel::email};
    ASSERT_TRUE(read_ses_event(
        fmt::format(R"({{"eventType":"Bounce","bounce":{{"bounceType":"Permanent",)"
                    R"("timestamp":"2026-01-01T00:00:02.000Z",)"
                    R"("bouncedRecipients":[{{"emailAddress":"a@x"}},{{"emailAddress":"b@x"}}]}},)"
                    R"("mail":{{"tags":{{"fanfare":["{}"]}}}}}})",
                    tag),
        "m1", list));
    const auto got = list.take("").receipts;
    ASSERT_EQ(got.size(), 2U);
    EXPECT_EQ(got[0].reference, (Reference{job, Channel::email, 7, 3}));
    EXPECT_EQ(got[0].event_id, "m1");
    EXPECT_EQ(got[1].event_id, "m1.1");
    EXPECT_EQ(got[1].address, "b@x");
    EXPECT_EQ(got[1].at_unix, 1'767'225'602);
}

TEST_F(ReceiptsTest, ADisplayNameHidesNobody) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"Bob <bob@x.example>", "bob@x.example"},
        {R"(\"Bob, Jr. <the first>\" <bob@x.example>)", "bob@x.example"},
        {"<bob@x.example>", "bob@x.example"},
        {" bob@x.example ", "bob@x.example"},
        {"bob@x.example (Bob)", "bob@x.example"},
        {"=?UTF-8?B?Qm9i?= <bob@x.example>", "bob@x.example"},
        {"B\xC3\xB6 B. <bob@x.example>", "bob@x.example"},
        {"bob@x.example", "bob@x.example"},
        {"", ""}};
    for (const auto& [written, address] : cases) {
        ReceiptList list{references, Channel::email};
        ASSERT_TRUE(read_ses_event(
            R"({"eventType":"Bounce","bounce":{"bounceType":"Permanent","bouncedRecipients":)"
            R"([{"emailAddress":")" +
                written + R"("}]},"mail":{}})",
            "m1", list));
        EXPECT_EQ(list.take("").receipts.at(0).address, address) << written;
    }
    ReceiptList numbers{references, Channel::sms};
    numbers.add("", ReceiptEvent::delivered, 0, "<+447700900000>", "");
    EXPECT_EQ(numbers.take("").receipts.at(0).address, "<+447700900000>") << "no e-mail address";
}

TEST_F(ReceiptsTest, TwilioEvents) {
    const std::vector<std::pair<std::string, std::string>> statuses{
        {"accepted", "accepted"},
        {"queued", "accepted"},
        {"scheduled", "accepted"},
        {"sending", "accepted"},
        {"sent", "accepted"},
        {"delivered", "delivered"},
        {"partially_delivered", "delivered"},
        {"read", "opened"},
        {"canceled", "failed"},
        {"undelivered", "soft_bounced"},
        {"failed", "failed"},
        {"receiving", ""},
        {"", ""}};
    const std::map<std::string, std::string> codes{
        {"30001", "soft_bounced"}, {"30002", "failed"},       {"30003", "soft_bounced"},
        {"30004", "soft_bounced"}, {"30005", "hard_bounced"}, {"30006", "hard_bounced"},
        {"30007", "soft_bounced"}, {"30008", "soft_bounced"}, {"30009", "soft_bounced"},
        {"30010", "soft_bounced"}, {"30034", "failed"},       {"30036", "expired"},
        {"90007", "expired"},      {"30410", "soft_bounced"}, {"21610", "opted_out"},
        {"21211", "hard_bounced"}};
    const auto send = [&](const std::string& status, const std::string& code) {
        const auto target = "/webhooks/t?ref=" + reference(Channel::sms);
        const auto form =
            "ErrorCode" + code + "MessageSidSM1MessageStatus" + status + "To+15558675310";
        const auto signature =
            base64(compute_hmac(Digest::sha1, "k", "https://x.example" + target + form));
        return receive(
            account("twilio", {{"auth_token", "k"}}),
            post(target,
                 "To=%2B15558675310&MessageSid=SM1&ErrorCode=" + code + "&MessageStatus=" + status,
                 {{"X-Twilio-Signature", signature}}));
    };
    for (const auto& [status, wanted] : statuses)
        EXPECT_EQ(event(send(status, "")), wanted) << status;
    for (const auto& [code, wanted] : codes)
        EXPECT_EQ(event(send("undelivered", code)), wanted) << code;
    const auto got = std::get<AcceptedWebhook>(send("delivered", ""));
    EXPECT_EQ(got.receipts.at(0).reference, (Reference{job, Channel::sms, 7, 3}));
    EXPECT_EQ(got.receipts.at(0).address, "+15558675310");
    EXPECT_EQ(got.receipts.at(0).event_id, "SM1.delivered");
}

std::string word(std::optional<ReceiptEvent> event) {
    return event ? std::string{to_string(*event)} : "";
}

TEST(VonageEvents, OfTheSmsApi) {
    using receipts::vonage_sms_event;
    EXPECT_EQ(word(vonage_sms_event("delivered", "0")), "delivered");
    EXPECT_EQ(word(vonage_sms_event("accepted", "0")), "accepted");
    EXPECT_EQ(word(vonage_sms_event("buffered", "0")), "");
    EXPECT_EQ(word(vonage_sms_event("expired", "1")), "expired");
    EXPECT_EQ(word(vonage_sms_event("read", "0")), "");
    const std::map<std::string, std::string> special{
        {"3", "hard_bounced"}, {"4", "hard_bounced"}, {"9", "opted_out"}, {"10", "failed"},
        {"50", "failed"},      {"51", "failed"},      {"52", "failed"},   {"54", "failed"}};
    for (const auto* const status : {"failed", "rejected", "unknown"}) {
        for (const int code :
             {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 50, 51, 52, 53, 54, 99}) {
            const auto found = special.find(std::to_string(code));
            EXPECT_EQ(word(vonage_sms_event(status, std::to_string(code))),
                      found == special.end() ? "soft_bounced" : found->second)
                << code;
        }
    }
}

TEST(VonageEvents, OfTheMessagesApi) {
    using receipts::vonage_message_event;
    EXPECT_EQ(word(vonage_message_event("submitted", "")), "accepted");
    EXPECT_EQ(word(vonage_message_event("delivered", "")), "delivered");
    EXPECT_EQ(word(vonage_message_event("read", "")), "opened");
    EXPECT_EQ(word(vonage_message_event("undeliverable", "")), "soft_bounced");
    EXPECT_EQ(word(vonage_message_event("rejected", "")), "failed");
    EXPECT_EQ(word(vonage_message_event("else", "")), "");
    const std::map<std::string, std::vector<int>> classes{
        {"hard_bounced", {1050, 1170, 1190, 1300}},
        {"opted_out", {1240}},
        {"accepted", {1320}},
        {"expired", {1360}},
        {"failed",
         {1000, 1010, 1020, 1021, 1022, 1060, 1070, 1080, 1090, 1110, 1130, 1140, 1150, 1160, 1380,
          1381, 1382}},
        {"soft_bounced", {1030, 1040, 1100, 1120, 1180, 1200, 1210, 1220, 1230, 1241, 1250,
                          1260, 1270, 1280, 1290, 1310, 1330, 1331, 1340, 1350, 1370}}};
    for (const auto& [wanted, codes] : classes) {
        for (const int code : codes) {
            EXPECT_EQ(word(vonage_message_event("rejected", std::to_string(code))), wanted) << code;
        }
    }
}

TEST_F(ReceiptsTest, VonageNamesTheSendInFortyCharacters) {
    const auto short_form = compact_reference(reference(Channel::sms));
    ASSERT_TRUE(short_form);
    const auto text =
        "&client-ref=" + *short_form +
        "&err-code=0&message-timestamp=2026-01-01 00:00:03 +0000&messageId=M1&msisdn=447700900000"
        "&status=delivered&timestamp=1767225600";
    auto body = text.substr(1) + "&sig=" + hex(compute_hmac(Digest::sha256, "s", text));
    body.replace(body.find("+0000"), 1, "%2B");
    const auto got = receive(account("vonage", {{"signature_secret", "s"}}), post("/", body));
    ASSERT_TRUE(is_received(got)) << why(got);
    const auto& receipt = std::get<AcceptedWebhook>(got).receipts.at(0);
    EXPECT_EQ(receipt.reference, (Reference{job, Channel::sms, 7, 3}));
    EXPECT_EQ(receipt.at_unix, vector_time + 3);
    EXPECT_EQ(receipt.event_id, "M1.delivered");
    const auto& jwt = vector("vonage_webhook_jwt");
    const auto message =
        receive(account("vonage", {{"signature_secret", test::text(jwt, "signature_secret")}}),
                post("/", vector_file("vonage_status_body.json"),
                     {{"Authorization", "Bearer " + test::text(jwt, "jwt")}}));
    EXPECT_EQ(event(message), "hard_bounced") << "1050: number barred";
    EXPECT_EQ(std::get<AcceptedWebhook>(message).token, "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5");
}

}  // namespace
}  // namespace fanfare::test
