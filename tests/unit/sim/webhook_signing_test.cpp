// Our signatures against published vectors, and the checks of these tests against them too.

#include "tests/unit/sim/webhook_case.hpp"

#include <gtest/gtest.h>

namespace fanfare::sim {
namespace {

std::vector<Field> fields_of(const boost::json::value& params, std::vector<std::string>& texts) {
    std::vector<Field> fields;
    texts.reserve(params.as_object().size());
    for (const auto& [name, value] : params.as_object()) {
        texts.push_back(value.is_string() ? std::string{std::string_view{value.get_string()}}
                                          : std::to_string(value.as_int64()));
        fields.push_back({name, texts.back()});
    }
    return fields;
}

TEST(WebhookSigning, Mailgun) {
    const auto vector = vector_of("mailgun_webhook");
    EXPECT_EQ(hex(hmac("sha256", text_at(vector, "signing_key"), text_at(vector, "message"))),
              text_at(vector, "signature_hex"));
}

TEST(WebhookSigning, Twilio) {
    std::vector<std::string> texts, more, own;
    const auto vector = vector_of("twilio_doc");
    EXPECT_EQ(twilio_signature(text_at(vector, "auth_token"), text_at(vector, "url"),
                               fields_of(vector.at("params"), texts)),
              text_at(vector, "signature"));
    const auto other = vector_of("twilio_doc_alt");
    EXPECT_EQ(twilio_signature(text_at(vector, "auth_token"), text_at(vector, "url"),
                               fields_of(other.at("params"), more)),
              text_at(other, "signature"));
    const auto callback = vector_of("twilio_status_callback");
    const auto fields = fields_of(callback.at("params"), own);
    EXPECT_EQ(twilio_signature(text_at(callback, "auth_token"), text_at(callback, "url"), fields),
              text_at(callback, "signature"));
    EXPECT_EQ(encode_form(fields), text_at(callback, "form_body"));
}

TEST(WebhookSigning, TwilioCountsARepeatedFieldOnce) {
    EXPECT_EQ(twilio_signature("t", "https://h/", {{"b", "2"}, {"a", "1"}, {"b", "2"}}),
              twilio_signature("t", "https://h/", {{"a", "1"}, {"b", "2"}}));
}

TEST(WebhookSigning, VonageInFiveMethods) {
    std::vector<std::string> texts, more;
    const auto vector = vector_of("vonage_sms_sig");
    const auto fields = fields_of(vector.at("params"), texts);
    const auto secret = text_at(vector, "secret");
    const auto expect = [&](std::string_view method, std::string_view name) {
        EXPECT_EQ(vonage_signature(method, secret, fields), text_at(vector, name)) << method;
    };
    expect("md5hash", "md5hash");
    expect("md5", "md5_hmac");
    expect("sha1", "sha1_hmac");
    expect("sha256", "sha256_hmac");
    expect("sha512", "sha512_hmac");
    const auto sdk = vector_of("vonage_public_vector");
    EXPECT_EQ(vonage_signature("sha256", text_at(sdk, "secret"), fields_of(sdk.at("params"), more)),
              text_at(sdk, "sha256_hmac"));
}

TEST(WebhookSigning, VonageToken) {
    const auto vector = vector_of("vonage_webhook_jwt");
    EXPECT_EQ(hs256_token(text_at(vector, "signature_secret"), text_at(vector, "claims")),
              text_at(vector, "jwt"));
    EXPECT_EQ(hex(digest("sha256", read_vector("vonage_status_body.json"))),
              text_at(vector, "payload_hash"));
}

TEST(WebhookSigning, SendGridVerifiesAsTheirVectorsDo) {
    const auto verify = [](const boost::json::value& vector, std::string payload) {
        return verifies(public_key_of(text_at(vector, "public_key_b64_spki_der")), "sha256",
                        decoded_base64(text_at(vector, "signature_b64_der")),
                        text_at(vector, "timestamp") + payload);
    };
    const auto own = vector_of("sendgrid_event_webhook");
    const auto sdk = vector_of("sendgrid_public_vector");
    EXPECT_TRUE(verify(own, read_vector("sendgrid_payload.bin")));
    EXPECT_FALSE(verify(own, read_vector("sendgrid_payload.bin") + " "));
    EXPECT_TRUE(verify(sdk, read_vector("sendgrid_public_payload.bin")));
}

TEST(WebhookSigning, SnsSignsTheSameString) {
    const TextFields first{read_vector("sns_notification_v1.json")};
    const TextFields second{read_vector("sns_notification_v2.json")};
    const TextFields subscription{read_vector("sns_subscription_v1.json")};
    const auto text = sns_string_to_sign(first.fields);
    EXPECT_EQ(text, read_vector("sns_notification_v1.sts.txt"));
    EXPECT_EQ(sns_string_to_sign(subscription.fields), read_vector("sns_subscription_v1.sts.txt"));
    const auto key = key_of_certificate(read_vector("test-only-sns-cert.pem"));
    EXPECT_TRUE(verifies(key, "sha1", decoded_base64(text_at(first.value, "Signature")), text));
    EXPECT_TRUE(verifies(key, "sha256", decoded_base64(text_at(second.value, "Signature")), text));
}

TEST(WebhookSigning, IdsAreStableAndWellFormed) {
    EXPECT_EQ(to_uuid(1, 2), to_uuid(1, 2));
    EXPECT_NE(to_uuid(1, 2), to_uuid(2, 1));
    EXPECT_EQ(to_uuid(1, 2).size(), 36U);
    EXPECT_EQ(to_hex(1, 2, 50).size(), 50U);
    EXPECT_EQ(iso_time(1'767'225'600'123), "2026-01-01T00:00:00.123Z");
}

}  // namespace
}  // namespace fanfare::sim
