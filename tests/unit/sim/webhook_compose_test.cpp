#include "tests/unit/sim/webhook_case.hpp"

#include <gtest/gtest.h>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace fanfare::sim {
namespace {

namespace json = boost::json;

const Keys& keys() {
    static const Keys made = [] {
        Keys fresh;
        fresh.sns_url = "https://localhost:1/sns";
        make_key_pairs(fresh);
        return fresh;
    }();
    return made;
}

Event event_of(Scheme scheme, EventKind kind) {
    Event event;
    event.kind = kind;
    event.delivery = {.scheme = scheme,
                      .address = scheme < Scheme::twilio ? "a@example.com" : "+15558675310",
                      .message_id = "m1",
                      .sender = "+15005550006",
                      .callback = {},
                      .data = {}};
    event.number = 7;
    event.happened_ms = 1'767'225'599'500;
    return event;
}

HttpRequest composed(const Event& event, std::string url = "https://h.example/webhooks/x") {
    return compose({&event, 1}, keys(), {.url = std::move(url), .now_ms = 1'767'225'600'000});
}

json::object mailgun_data(EventKind kind) {
    auto event = event_of(Scheme::mailgun, kind);
    event.delivery.data = {{"fanfare", "job.1"}, {"person", "4.tag"}};
    return json::parse(composed(event).body).at("event-data").as_object();
}

TEST(WebhookCompose, MailgunSignsTimestampAndToken) {
    const auto request = composed(event_of(Scheme::mailgun, EventKind::delivered));
    const auto signature = json::parse(request.body).at("signature");
    EXPECT_EQ(text_at(signature, "timestamp"), "1767225600");
    EXPECT_EQ(text_at(signature, "token").size(), 50U);
    EXPECT_EQ(text_at(signature, "signature"),
              hex(hmac("sha256", keys().mailgun_signing_key,
                       text_at(signature, "timestamp") + text_at(signature, "token"))));
    EXPECT_EQ(header_of(request, "Content-Type"), "application/json");
}

TEST(WebhookCompose, MailgunHasTheFieldsOfItsKinds) {
    const auto delivered = mailgun_data(EventKind::delivered);
    EXPECT_EQ(delivered.at("event"), "delivered");
    EXPECT_EQ(delivered.at("recipient"), "a@example.com");
    EXPECT_EQ(delivered.at("timestamp"), 1'767'225'599.5);
    EXPECT_EQ(delivered.at("user-variables").at("person"), "4.tag");
    EXPECT_EQ(delivered.at("message").at("headers").at("message-id"), "m1");
    EXPECT_EQ(delivered.at("delivery-status").at("code"), 250);
    EXPECT_FALSE(delivered.contains("severity"));
    const auto hard = mailgun_data(EventKind::hard_bounced);
    EXPECT_EQ(hard.at("event"), "failed");
    EXPECT_EQ(hard.at("severity"), "permanent");
    EXPECT_EQ(hard.at("reason"), "bounce");
    EXPECT_EQ(hard.at("delivery-status").at("enhanced-code"), "5.1.1");
    EXPECT_EQ(mailgun_data(EventKind::soft_bounced).at("reason"), "old");
    EXPECT_EQ(mailgun_data(EventKind::deferred).at("severity"), "temporary");
    EXPECT_EQ(mailgun_data(EventKind::complained).at("event"), "complained");
    EXPECT_NE(delivered.at("id"), hard.at("id"));
}

TEST(WebhookCompose, SendGridSignsTimestampAndRawBody) {
    const std::vector<Event> events{event_of(Scheme::sendgrid, EventKind::delivered),
                                    event_of(Scheme::sendgrid, EventKind::opened)};
    const auto request =
        compose(events, keys(), {.url = "https://h/", .now_ms = 1'767'225'600'000});
    EXPECT_TRUE(request.body.ends_with("]\r\n"));
    EXPECT_EQ(json::parse(request.body).as_array().size(), 2U);
    const auto signature =
        decoded_base64(header_of(request, "X-Twilio-Email-Event-Webhook-Signature"));
    const auto timestamp = header_of(request, "X-Twilio-Email-Event-Webhook-Timestamp");
    const auto key = public_key_of(sendgrid_public_key(keys()));
    EXPECT_TRUE(verifies(key, "sha256", signature, timestamp + request.body));
    EXPECT_FALSE(verifies(key, "sha256", signature, request.body));
}

TEST(WebhookCompose, SendGridFlattensCustomArguments) {
    const auto told = [](EventKind kind) {
        auto event = event_of(Scheme::sendgrid, kind);
        event.delivery.data = {{"fanfare", "job.1.2.tag"}};
        return json::parse(composed(event).body).as_array().at(0).as_object();
    };
    const auto bounce = told(EventKind::hard_bounced);
    EXPECT_EQ(bounce.at("fanfare"), "job.1.2.tag");
    EXPECT_EQ(bounce.at("email"), "a@example.com");
    EXPECT_EQ(bounce.at("timestamp"), 1'767'225'599);
    EXPECT_EQ(bounce.at("event"), "bounce");
    EXPECT_EQ(bounce.at("type"), "bounce");
    EXPECT_TRUE(text_at(bounce, "sg_message_id").starts_with("m1."));
    EXPECT_FALSE(text_at(bounce, "sg_event_id").empty());
    EXPECT_EQ(told(EventKind::soft_bounced).at("type"), "blocked");
    EXPECT_EQ(told(EventKind::complained).at("event"), "spamreport");
    EXPECT_EQ(told(EventKind::unsubscribed).at("event"), "unsubscribe");
    EXPECT_EQ(told(EventKind::opened).at("event"), "open");
}

json::object ses_told(EventKind kind) {
    auto event = event_of(Scheme::ses, kind);
    event.delivery.data = {{"fanfare", "job_1"}};
    const auto envelope = json::parse(composed(event).body);
    return json::parse(text_at(envelope, "Message")).as_object();
}

TEST(WebhookCompose, SnsEnvelopeVerifiesInBothVersions) {
    for (const int version : {1, 2}) {
        auto signing = keys();
        signing.sns_version = version;
        const auto event = event_of(Scheme::ses, EventKind::delivered);
        const auto request = compose({&event, 1}, signing, {.url = "https://h/"});
        const TextFields envelope{request.body};
        EXPECT_EQ(text_at(envelope.value, "SignatureVersion"), std::to_string(version));
        EXPECT_EQ(text_at(envelope.value, "TopicArn"), keys().sns_topic);
        EXPECT_EQ(text_at(envelope.value, "SigningCertURL"),
                  "https://localhost:1/sns/SimpleNotificationService-test.pem");
        EXPECT_TRUE(verifies(key_of_certificate(keys().sns_certificate_pem),
                             version == 1 ? "sha1" : "sha256",
                             decoded_base64(text_at(envelope.value, "Signature")),
                             sns_string_to_sign(envelope.fields)));
        EXPECT_EQ(header_of(request, "x-amz-sns-message-type"), "Notification");
        EXPECT_EQ(header_of(request, "Content-Type"), "text/plain; charset=UTF-8");
        EXPECT_EQ(header_of(request, "x-amz-sns-message-id"), text_at(envelope.value, "MessageId"));
    }
}

TEST(WebhookCompose, SesHasTheObjectOfItsType) {
    const auto bounce = ses_told(EventKind::hard_bounced);
    EXPECT_EQ(bounce.at("eventType"), "Bounce");
    EXPECT_EQ(bounce.at("bounce").at("bounceType"), "Permanent");
    EXPECT_EQ(bounce.at("bounce").at("bouncedRecipients").at(0).at("emailAddress"),
              "a@example.com");
    EXPECT_EQ(bounce.at("mail").at("tags").at("fanfare").at(0), "job_1");
    EXPECT_EQ(bounce.at("mail").at("messageId"), "m1");
    EXPECT_EQ(bounce.at("mail").at("destination").at(0), "a@example.com");
    EXPECT_EQ(ses_told(EventKind::soft_bounced).at("bounce").at("bounceType"), "Transient");
    EXPECT_EQ(ses_told(EventKind::delivered).at("delivery").at("recipients").at(0),
              "a@example.com");
    EXPECT_EQ(ses_told(EventKind::complained).at("eventType"), "Complaint");
    EXPECT_TRUE(ses_told(EventKind::opened).contains("open"));
    EXPECT_EQ(ses_told(EventKind::deferred).at("eventType"), "DeliveryDelay");
}

TEST(WebhookCompose, SubscriptionConfirmationVerifies) {
    const auto request = compose_sns_subscription("tok", keys(), {.url = "https://h/"});
    const TextFields envelope{request.body};
    EXPECT_EQ(text_at(envelope.value, "Type"), "SubscriptionConfirmation");
    EXPECT_TRUE(text_at(envelope.value, "SubscribeURL").ends_with("&Token=tok"));
    EXPECT_TRUE(verifies(key_of_certificate(keys().sns_certificate_pem), "sha1",
                         decoded_base64(text_at(envelope.value, "Signature")),
                         sns_string_to_sign(envelope.fields)));
    EXPECT_EQ(header_of(request, "x-amz-sns-subscription-arn"), "");
}

std::vector<Field> form_fields(const HttpRequest& request, std::string& arena) {
    std::vector<Field> fields;
    EXPECT_TRUE(parse_form(request.body, arena, fields));
    return fields;
}

std::string value_of(const std::vector<Field>& fields, std::string_view name) {
    const auto* field = find_field(fields, name);
    return field == nullptr ? "" : std::string{field->value};
}

TEST(WebhookCompose, TwilioSignsTheUrlWithoutItsFragment) {
    const auto event = event_of(Scheme::twilio, EventKind::hard_bounced);
    const auto request = composed(event, "https://h.example/webhooks/sms?ref=a.1.2.t#rc=3&rp=all");
    EXPECT_EQ(request.url, "https://h.example/webhooks/sms?ref=a.1.2.t");
    std::string arena;
    const auto fields = form_fields(request, arena);
    EXPECT_EQ(header_of(request, "X-Twilio-Signature"),
              twilio_signature(keys().twilio_token, request.url, fields));
    EXPECT_EQ(value_of(fields, "MessageStatus"), "undelivered");
    EXPECT_EQ(value_of(fields, "SmsStatus"), "undelivered");
    EXPECT_EQ(value_of(fields, "ErrorCode"), "30005");
    EXPECT_EQ(value_of(fields, "To"), "+15558675310");
    EXPECT_EQ(value_of(fields, "From"), "+15005550006");
    EXPECT_EQ(value_of(fields, "MessageSid"), "m1");
    EXPECT_EQ(value_of(fields, "RawDlrDoneDate"), "2512312359");
    EXPECT_EQ(header_of(request, "I-Twilio-Idempotency-Token"),
              header_of(composed(event), "I-Twilio-Idempotency-Token"));
}

TEST(WebhookCompose, VonageReceiptIsASignedForm) {
    auto event = event_of(Scheme::vonage_sms, EventKind::hard_bounced);
    event.delivery.data = {{"client-ref", "job.1&2=3"}};
    const auto request = composed(event);
    std::string arena;
    const auto fields = form_fields(request, arena);
    EXPECT_EQ(value_of(fields, "sig"), vonage_signature("sha256", keys().vonage_secret, fields));
    EXPECT_EQ(value_of(fields, "msisdn"), "15558675310");
    EXPECT_EQ(value_of(fields, "client-ref"), "job.1&2=3");
    EXPECT_EQ(value_of(fields, "status"), "failed");
    EXPECT_EQ(value_of(fields, "err-code"), "3");
    EXPECT_EQ(value_of(fields, "timestamp"), "1767225600");
    EXPECT_EQ(value_of(fields, "messageId"), "m1");
    EXPECT_FALSE(value_of(fields, "nonce").empty());
}

TEST(WebhookCompose, VonageStatusBearsATokenOfItsBody) {
    auto event = event_of(Scheme::vonage_messages, EventKind::hard_bounced);
    event.delivery.data = {{"client_ref", "job.1.2.t"}};
    const auto request = composed(event);
    const auto told = json::parse(request.body);
    EXPECT_EQ(told.at("status"), "undeliverable");
    EXPECT_EQ(told.at("error").at("title"), 1190);
    EXPECT_EQ(told.at("client_ref"), "job.1.2.t");
    EXPECT_EQ(told.at("to"), "15558675310");
    const auto token = header_of(request, "Authorization").substr(7);
    const auto first = token.find('.');
    const auto claims_text = *decode_base64url(
        std::string_view{token}.substr(first + 1, token.find('.', first + 1) - first - 1));
    EXPECT_EQ(token, hs256_token(keys().vonage_secret, claims_text));
    const auto claims = json::parse(claims_text);
    EXPECT_EQ(text_at(claims, "payload_hash"), hex(digest("sha256", request.body)));
    EXPECT_EQ(claims.at("iat"), 1'767'225'600);
    EXPECT_EQ(claims.at("iss"), "Vonage");
    EXPECT_EQ(claims.at("api_key"), "abcd1234");
}

}  // namespace
}  // namespace fanfare::sim
