// Any bytes, to any receiver, give a reception; those of a stranger give no receipt. The first
// byte chooses the provider, and from 128 on a way to make its signature good, so that what lies
// behind is read too. The words OURS, SHORT, TAGGED, HEAD and TAIL stand for a reference of ours,
// and what its providers make of it.
#include "core/error/failure.hpp"
#include "core/reference/compact.hpp"
#include "producer/http/text.hpp"
#include "producer/receipts/document.hpp"
#include "producer/receipts/receiver.hpp"
#include "producer/receipts/ses_events.hpp"
#include "tests/fuzz/signing.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace fanfare;
using fuzzing::delivery_time;
using Words = std::vector<std::pair<std::string, std::string>>;

const References references{Secret{"a link key of at least 32 bytes, for fuzzing"}};
const std::string job = "0f8fad5b-d9cb-469f-a165-70867728950e";
const std::string topic = "arn:aws:sns:us-east-1:123456789012:ses-events";
const std::string now_text = std::to_string(delivery_time);

std::unique_ptr<Receiver> make(const std::string& type) {
    AccountSettings account;
    account.name = type;
    account.type = type;
    for (const auto* const name : {"webhook_signing_key", "auth_token", "signature_secret"}) {
        account.secrets[name] = Secret{"k"};
    }
    account.options["topic_arn"] = topic;
    account.options["webhook_public_key"] = fuzzing::curve_public_key();
    return make_receiver(account, {"https://x.example", references});
}

enum Place : std::uint8_t { mailgun, sendgrid, ses, twilio, vonage };

const Receiver& receiver_of(std::size_t place) {
    static const std::array receivers{make("mailgun"), make("sendgrid"), make("ses"),
                                      make("twilio"), make("vonage")};
    return *receivers[place % receivers.size()];
}

/// A webhook on its way, and whether its provider could have signed it.
struct Delivery {
    Place to = mailgun;
    HttpCall call;
    bool is_signed = true;
    std::string certificate{};  // Of SNS, where it was fetched before.
};

HttpCall make_call(std::string body, std::string query = "") {
    // A target holds visible ASCII only.
    std::erase_if(query, [](char c) { return c <= ' ' || c > '~'; });
    HttpCall call;
    call.method = "POST";
    call.path = "/webhooks/a";
    call.target = query.empty() ? call.path : call.path + '?' + query;
    call.query = std::move(query);
    call.body = std::move(body);
    return call;
}

std::string replaced(std::string text, const Words& words) {
    for (const auto& [word, meaning] : words) {
        for (auto at = text.find(word); at != text.npos;
             at = text.find(word, at + meaning.size())) {
            text.replace(at, word.size(), meaning);
        }
    }
    return text;
}

Words reference_words(Channel channel) {
    std::vector<std::string> places;
    references.write_refs(job, channel, 3, 2, places);
    const auto whole = job + ".3." + places[1];
    auto tagged = whole;
    for (int i = 0; i < 3; ++i) tagged[tagged.find('.')] = '_';
    return {{"OURS", whole},
            {"SHORT", compact_reference(whole).value_or("")},
            {"TAGGED", tagged},
            {"HEAD", job + ".3"},
            {"TAIL", places[1]}};
}

/// The first line of it, taken off.
std::string take_line(std::string& text) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.erase(0, end + 1);
    return line;
}

Delivery by_mailgun(std::string data) {
    const auto signature = hex(compute_hmac(Digest::sha256, "k", now_text + "t"));
    return {mailgun, make_call(R"({"signature":{"timestamp":")" + now_text +
                               R"(","token":"t","signature":")" + signature +
                               R"("},"event-data":)" + data + "}")};
}

Delivery by_sendgrid(std::string events) {
    auto call = make_call(std::move(events));
    call.headers = {{"X-Twilio-Email-Event-Webhook-Signature",
                     base64(fuzzing::sign_on_curve(now_text + call.body))},
                    {"X-Twilio-Email-Event-Webhook-Timestamp", now_text}};
    return {sendgrid, std::move(call)};
}

/// A message of SNS with its type, or the event of SES in one, with what a true one would have.
Delivery by_sns(std::string text) {
    namespace json = boost::json;
    const auto document = receipts::parse_strictly(text);
    json::object message{{"Type", "Notification"}, {"MessageId", "m"}, {"Message", text}};
    if (document && document->is_object() && document->get_object().contains("Type")) {
        message = document->get_object();
    }
    message["TopicArn"] = topic;
    message["Timestamp"] = "2026-01-01T00:00:00.000Z";
    message["SigningCertURL"] =
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0.pem";
    const bool is_old = receipts::get_text(message, "SignatureVersion") == "1";
    message["SignatureVersion"] = is_old ? "1" : "2";
    const bool is_news = receipts::get_text(message, "Type") == "Notification";
    std::string covered;
    for (const auto* const key : {"Message", "MessageId", is_news ? "Subject" : "SubscribeURL",
                                  "Timestamp", is_news ? "" : "Token", "TopicArn", "Type"}) {
        const auto value = receipts::get_text(message, key);
        if (message.contains(key)) covered.append(key).append("\n").append(value).append("\n");
    }
    message["Signature"] =
        base64(fuzzing::sign_as_sns(is_old ? Digest::sha1 : Digest::sha256, covered));
    return {ses, make_call(json::serialize(message)), true, fuzzing::sns_certificate()};
}

/// The bytes are the certificate: PEM as they are, or DER.
Delivery by_another_certificate(std::string bytes) {
    constexpr std::size_t columns = 64;
    auto delivery = by_sns("{}");
    delivery.is_signed = false;
    delivery.certificate = std::move(bytes);
    if (delivery.certificate.starts_with('-')) return delivery;
    auto encoded = base64(delivery.certificate);
    for (auto at = columns; at < encoded.size(); at += columns + 1) encoded.insert(at, 1, '\n');
    delivery.certificate =
        "-----BEGIN CERTIFICATE-----\n" + encoded + "\n-----END CERTIFICATE-----\n";
    return delivery;
}

void sign_as_twilio(HttpCall& call, const Form& form) {
    std::map<std::string, std::set<std::string>> sorted;
    for (const auto& [name, value] : form) sorted[name].insert(value);
    auto text = "https://x.example" + call.target;
    for (const auto& [name, values] : sorted) {
        for (const auto& value : values) text.append(name).append(value);
    }
    call.headers = {{"X-Twilio-Signature", base64(compute_hmac(Digest::sha1, "k", text))}};
}

/// Query and form, a line each.
Delivery by_twilio(std::string text) {
    auto query = take_line(text);
    Delivery delivery{twilio, make_call(std::move(text), std::move(query))};
    sign_as_twilio(delivery.call, parse_form(delivery.call.body).value_or(Form{}));
    return delivery;
}

/// The same with any body, which the query has the hash of.
Delivery by_twilio_with_hash(std::string text) {
    auto query = take_line(text);
    query += "&bodySHA256=" + hex(compute_digest(Digest::sha256, text));
    Delivery delivery{twilio, make_call(std::move(text), std::move(query))};
    sign_as_twilio(delivery.call, {});
    return delivery;
}

Delivery with_token(std::string claims, HttpCall call) {
    claims =
        replaced(std::move(claims), {{"HASH", hex(compute_digest(Digest::sha256, call.body))}});
    const auto head = base64url(R"({"alg":"HS256","typ":"JWT"})") + '.' + base64url(claims);
    const auto signature = base64url(compute_hmac(Digest::sha256, "k", head));
    call.headers = {{"Authorization", "Bearer " + head + '.' + signature}};
    return {vonage, std::move(call)};
}

/// Query and message, a line and the rest.
Delivery by_vonage(std::string text) {
    auto query = take_line(text);
    return with_token(R"({"iat":)" + now_text + R"(,"jti":"j","api_key":"","payload_hash":"HASH"})",
                      make_call(std::move(text), std::move(query)));
}

/// What the token says, a line, and the message: HASH stands for the hash of that.
Delivery by_vonage_with_claims(std::string text) {
    auto claims = take_line(text);
    return with_token(std::move(claims), make_call(std::move(text)));
}

std::string vonage_signature(Form form) {
    std::stable_sort(form.begin(), form.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::string text;
    for (auto& [name, value] : form) {
        std::replace_if(
            value.begin(), value.end(), [](char c) { return c == '&' || c == '='; }, '_');
        if (name != "sig") text.append("&").append(name).append("=").append(value);
    }
    return hex(compute_hmac(Digest::sha256, "k", text));
}

/// A receipt of the SMS API: JSON, or a form.
Delivery by_vonage_sms(std::string text) {
    const auto document = receipts::parse_document(text);
    if (document && document->is_object()) {
        auto object = document->get_object();
        Form form;
        for (const auto& member : object) {
            const std::string key{member.key().data(), member.key().size()};
            const bool is_read = member.value().is_string() || member.value().is_int64();
            if (is_read) form.emplace_back(key, receipts::get_word(object, key));
        }
        object["sig"] = vonage_signature(std::move(form));
        auto call = make_call(boost::json::serialize(object));
        call.headers = {{"Content-Type", "application/json"}};
        return {vonage, std::move(call)};
    }
    text += "&sig=" + vonage_signature(parse_form(text).value_or(Form{}));
    return {vonage, make_call(std::move(text))};
}

/// The same as a query.
Delivery by_vonage_sms_in_url(std::string text) {
    std::erase_if(text, [](char c) { return c <= ' ' || c > '~'; });
    const auto form = parse_form(text).value_or(Form{});
    auto call = make_call("", text + "&sig=" + vonage_signature(form));
    call.method = "GET";
    return {vonage, std::move(call)};
}

/// A stranger's: every other time the first line is what should be a signature.
Delivery by_nobody(std::uint8_t choice, std::string text) {
    std::string signature{"AAAA"};
    if (choice / 5 % 2 == 1) signature = take_line(text);
    Delivery delivery{static_cast<Place>(choice % 5), make_call(std::move(text)), false};
    delivery.call.headers = {{"X-Twilio-Signature", signature},
                             {"X-Twilio-Email-Event-Webhook-Signature", signature},
                             {"X-Twilio-Email-Event-Webhook-Timestamp", now_text}};
    if (signature != "AAAA") {
        delivery.call.headers.emplace_back("Authorization", "Bearer " + signature);
    }
    return delivery;
}

constexpr std::array ways{by_mailgun,    by_sendgrid,         by_sns,    by_another_certificate,
                          by_twilio,     by_twilio_with_hash, by_vonage, by_vonage_with_claims,
                          by_vonage_sms, by_vonage_sms_in_url};

/// Any provider's words, each for the channel that the choice is of.
std::string with_references(std::string text, std::uint8_t choice) {
    static const auto email = reference_words(Channel::email);
    static const auto sms = reference_words(Channel::sms);
    const bool is_email = choice < 128 ? choice % 5 < 3 : choice % 128 % ways.size() < 4;
    return replaced(std::move(text), is_email ? email : sms);
}

void check_url(std::string_view url) {
    constexpr std::string_view host{"https://sns.us-east-1.amazonaws.com"};
    ensure(url.starts_with(host), "only SNS is asked");
    url.remove_prefix(host.size());
    ensure(url.starts_with("/") || url.starts_with(":443/"), "and no port of others");
}

void check_receipts(const AcceptedWebhook& received, Channel channel) {
    if (!received.visit.empty()) check_url(received.visit);
    for (const auto& receipt : received.receipts) {
        const auto& named = receipt.reference.job;
        ensure(named.empty() || named == job, "nobody guesses a tag");
    }
    for (const auto& batch : batch_receipts("a", channel, received.receipts)) {
        ensure(decode_receipts(encode_receipts(batch)).has_value(), "Kafka's readers take it");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) return 0;
    const auto choice = bytes[0];
    auto rest = with_references({reinterpret_cast<const char*>(bytes + 1), size - 1}, choice);
    ReceiptList list{references, Channel::email};
    receipts::read_ses_event(rest, "m", list);
    const auto delivery = choice < 128 ? by_nobody(choice, std::move(rest))
                                       : ways[choice % 128 % ways.size()](std::move(rest));
    const Documents documents = [&delivery](const std::string&) -> const std::string* {
        return delivery.certificate.empty() ? nullptr : &delivery.certificate;
    };
    const auto reception =
        receiver_of(delivery.to).receive(delivery.call, documents, delivery_time);
    if (const auto* const wanted = std::get_if<Wanted>(&reception)) check_url(wanted->url);
    const auto* const received = std::get_if<AcceptedWebhook>(&reception);
    ensure(delivery.is_signed || received == nullptr, "nobody's webhook is not taken");
    if (received == nullptr) return 0;
    check_receipts(*received, delivery.to < twilio ? Channel::email : Channel::sms);
    return 0;
}
