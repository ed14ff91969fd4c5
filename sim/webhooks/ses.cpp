// SES: an event as a JSON string in the envelope of SNS, which RSA signs.

#include "sim/http/text.hpp"
#include "sim/webhooks/event.hpp"
#include "sim/webhooks/signing.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

constexpr std::string_view certificate_name = "/SimpleNotificationService-test.pem";

json::object bounce_fields(const Event& event, const std::string& time) {
    const bool hard = event.kind == EventKind::hard_bounced;
    json::object recipient{
        {"emailAddress", event.delivery.address},
        {"action", "failed"},
        {"status", hard ? "5.1.1" : "4.2.2"},
        {"diagnosticCode", hard ? "smtp; 550 5.1.1 user unknown" : "smtp; 452 4.2.2 mailbox full"}};
    json::array recipients;
    recipients.push_back(std::move(recipient));
    return {{"bounceType", hard ? "Permanent" : "Transient"},
            {"bounceSubType", hard ? "General" : "MailboxFull"},
            {"bouncedRecipients", std::move(recipients)},
            {"timestamp", time},
            {"feedbackId", to_uuid(event.number, 1)},
            {"reportingMTA", "dns; sim.amazonses.com"}};
}

json::object complaint_fields(const Event& event, const std::string& time) {
    json::array recipients;
    recipients.push_back(json::object{{"emailAddress", event.delivery.address}});
    return {{"complainedRecipients", std::move(recipients)},
            {"complaintFeedbackType", "abuse"},
            {"complaintSubType", nullptr},
            {"timestamp", time},
            {"feedbackId", to_uuid(event.number, 2)}};
}

// The event's type and the object that is named after it.
void add_ses_details(const Event& event, json::object& told) {
    const auto time = iso_time(event.happened_ms);
    const auto is = [&](std::string_view type, std::string_view name, json::object details) {
        told["eventType"] = type;
        told[name] = std::move(details);
    };
    const json::object reader{
        {"ipAddress", "192.0.2.7"}, {"timestamp", time}, {"userAgent", "Sim/1"}};
    switch (event.kind) {
        case EventKind::none:
        case EventKind::accepted:
            return is("Send", "send", {});
        case EventKind::deferred:
            return is("DeliveryDelay", "deliveryDelay",
                      {{"timestamp", time},
                       {"delayType", "MailboxFull"},
                       {"expirationTime", iso_time(event.happened_ms + 50'400'000)},
                       {"delayedRecipients",
                        json::array{json::object{{"emailAddress", event.delivery.address},
                                                 {"status", "4.2.2"}}}}});
        case EventKind::delivered:
            return is("Delivery", "delivery",
                      {{"timestamp", time},
                       {"processingTimeMillis", 546},
                       {"recipients", json::array{json::value(event.delivery.address)}},
                       {"smtpResponse", "250 2.6.0 Message received"},
                       {"reportingMTA", "sim.amazonses.com"}});
        case EventKind::opened:
            return is("Open", "open", reader);
        case EventKind::clicked: {
            auto click = reader;
            click["link"] = "https://example.com/show";
            click["linkTags"] = nullptr;
            return is("Click", "click", std::move(click));
        }
        case EventKind::unsubscribed:
            return is("Subscription", "subscription",
                      {{"contactList", "ContactListName"},
                       {"timestamp", time},
                       {"source", "UnsubscribeHeader"},
                       {"newTopicPreferences", json::object{{"unsubscribeAll", true}}},
                       {"oldTopicPreferences", json::object{{"unsubscribeAll", false}}}});
        case EventKind::complained:
            return is("Complaint", "complaint", complaint_fields(event, time));
        case EventKind::soft_bounced:
        case EventKind::hard_bounced:
            return is("Bounce", "bounce", bounce_fields(event, time));
    }
}

std::string sns_message(const Event& event) {
    const auto& delivery = event.delivery;
    json::object told;
    add_ses_details(event, told);
    json::object tags{{"ses:configuration-set", json::array{"fanfare"}}};
    for (const auto& [name, value] : delivery.data) tags[name] = json::array{json::value(value)};
    json::object mail{{"timestamp", iso_time(event.happened_ms)},
                      {"source", delivery.sender},
                      {"sendingAccountId", "123456789012"},
                      {"messageId", delivery.message_id},
                      {"destination", json::array{json::value(delivery.address)}},
                      {"headersTruncated", false}};
    mail["headers"] = json::array{};
    mail["commonHeaders"] = json::object{{"to", json::array{json::value(delivery.address)}}};
    mail["tags"] = std::move(tags);
    told["mail"] = std::move(mail);
    return json::serialize(told);
}

// The envelope: its fields in their order, then the signature over those that it covers.
HttpRequest enveloped(std::vector<Field> fields, std::string_view id, const Keys& keys,
                      const Posting& posting) {
    const auto text = sns_string_to_sign(fields);
    const auto signature = base64(sign(keys.sns, keys.sns_version == 2 ? "sha256" : "sha1", text));
    const auto version = fmt::format("{}", keys.sns_version);
    const auto certificate = keys.sns_url + std::string{certificate_name};
    const auto type = fields.front().value;
    const auto subscription = keys.sns_topic + ":" + to_uuid(1, 1);
    const auto unsubscribe = keys.sns_url + "/?Action=Unsubscribe&SubscriptionArn=" + subscription;
    fields.push_back({"SignatureVersion", version});
    fields.push_back({"Signature", signature});
    fields.push_back({"SigningCertURL", certificate});
    const bool is_notification = type == "Notification";
    if (is_notification) fields.push_back({"UnsubscribeURL", unsubscribe});
    std::string body = "{";
    for (const auto& field : fields) {
        body.append(body.size() == 1 ? "\n  " : ",\n  ");
        append_json_string(field.name, body);
        body.append(" : ");
        append_json_string(field.value, body);
    }
    body.append("\n}");
    HttpRequest request{.url = posting.url,
                        .headers = {"Content-Type: text/plain; charset=UTF-8",
                                    "User-Agent: Amazon Simple Notification Service Agent",
                                    header_line("x-amz-sns-message-type", type),
                                    header_line("x-amz-sns-message-id", id),
                                    header_line("x-amz-sns-topic-arn", keys.sns_topic)},
                        .body = std::move(body)};
    if (is_notification) {
        request.headers.push_back(header_line("x-amz-sns-subscription-arn", subscription));
    }
    return request;
}

}  // namespace

HttpRequest compose_ses(const Event& event, const Keys& keys, const Posting& posting) {
    const auto id = to_uuid(event.number, 100 + static_cast<std::uint64_t>(event.kind));
    const auto message = sns_message(event);
    const auto time = iso_time(posting.now_ms);
    return enveloped({{"Type", "Notification"},
                      {"MessageId", id},
                      {"TopicArn", keys.sns_topic},
                      {"Subject", "Amazon SES Email Event Notification"},
                      {"Message", message},
                      {"Timestamp", time}},
                     id, keys, posting);
}

HttpRequest compose_sns_subscription(std::string_view token, const Keys& keys,
                                     const Posting& posting) {
    const auto id = to_uuid(posting.attempt, 3);
    const auto message =
        "You have chosen to subscribe to the topic " + keys.sns_topic +
        ".\nTo confirm the subscription, visit the SubscribeURL included in this message.";
    const auto url = fmt::format("{}/?Action=ConfirmSubscription&TopicArn={}&Token={}",
                                 keys.sns_url, keys.sns_topic, token);
    const auto time = iso_time(posting.now_ms);
    return enveloped({{"Type", "SubscriptionConfirmation"},
                      {"MessageId", id},
                      {"Token", token},
                      {"TopicArn", keys.sns_topic},
                      {"Message", message},
                      {"SubscribeURL", url},
                      {"Timestamp", time}},
                     id, keys, posting);
}

}  // namespace fanfare::sim
