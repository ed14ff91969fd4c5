// Every vector verifies, and stops to verify with any bit of what its signature covers changed.
#include "producer/http/text.hpp"
#include "receipts_case.hpp"

#include <array>

namespace fanfare::test {
namespace {

AccountSettings mailgun() {
    return account("mailgun",
                   {{"webhook_signing_key", text(vector("mailgun_webhook"), "signing_key")}});
}

std::string mailgun_body(const std::string& timestamp, const std::string& token,
                         const std::string& signature) {
    return fmt::format(R"({{"signature":{{"timestamp":"{}","token":"{}","signature":"{}"}}}})",
                       timestamp, token, signature);
}

TEST_F(ReceiptsTest, MailgunVector) {
    const auto& v = vector("mailgun_webhook");
    const auto time = text(v, "timestamp");
    const auto token = text(v, "token");
    const auto signature = text(v, "signature_hex");
    const auto judge = [&](const std::string& t, const std::string& k, const std::string& s) {
        return why(receive(mailgun(), post("/", mailgun_body(t, k, s))));
    };
    EXPECT_EQ(judge(time, token, signature), "received");
    with_each_bit_changed(
        time, [&](const auto& c, auto) { EXPECT_NE(judge(c, token, signature), "received"); });
    with_each_bit_changed(
        token, [&](const auto& c, auto) { EXPECT_NE(judge(time, c, signature), "received"); });
    with_each_bit_changed(
        signature, [&](const auto& c, auto) { EXPECT_NE(judge(time, token, c), "received"); });
    EXPECT_EQ(judge(time, token, ""), "unsigned");
    EXPECT_EQ(why(receive(account("mailgun", {}), post("/", mailgun_body(time, token, signature)))),
              "missing_key");
}

TEST_F(ReceiptsTest, SendGridVectors) {
    for (const auto* const name : {"sendgrid_event_webhook", "sendgrid_public_vector"}) {
        const auto& v = vector(name);
        const auto settings =
            account("sendgrid", {}, {{"webhook_public_key", text(v, "public_key_b64_spki_der")}});
        const auto body = vector_file(text(v, "payload_file"));
        const auto time = text(v, "timestamp");
        const auto signature = text(v, "signature_b64_der");
        const auto judge = [&](const std::string& b, const std::string& t, const std::string& s) {
            return why(receive(settings,
                               post("/", b,
                                    {{"X-Twilio-Email-Event-Webhook-Signature", s},
                                     {"X-Twilio-Email-Event-Webhook-Timestamp", t}}),
                               std::stoll(time)));
        };
        EXPECT_EQ(judge(body, time, signature), "received") << name;
        with_each_bit_changed(
            body, [&](const auto& c, auto) { EXPECT_EQ(judge(c, time, signature), "forged"); });
        with_each_bit_changed(
            time, [&](const auto& c, auto) { EXPECT_EQ(judge(body, c, signature), "forged"); });
        with_each_bit_changed(
            signature, [&](const auto& c, auto) { EXPECT_EQ(judge(body, time, c), "forged"); });
        EXPECT_EQ(judge(body.substr(0, body.size() - 2), time, signature), "forged");
        EXPECT_EQ(judge(body, time, ""), "unsigned");
    }
}

TEST_F(ReceiptsTest, TwilioVectors) {
    const auto params = [](const boost::json::object& v) {
        std::string form;
        for (const auto& member : v.at("params").as_object()) {
            form.append(form.empty() ? "" : "&").append(member.key()).append("=");
            for (const char c : member.value().as_string()) {
                form.append(c == '+' ? "%2B" : std::string(1, c));
            }
        }
        return form;
    };
    struct Case {
        std::string token, base, target, body, signature;
    };
    const auto& doc = vector("twilio_doc");
    const auto& alt = vector("twilio_doc_alt");
    const auto& status = vector("twilio_status_callback");
    const auto& json = vector("twilio_json_body");
    const auto token = text(status, "auth_token");
    const std::vector<Case> cases{
        {"12345", "https://mycompany.com", "/myapp.php?foo=1&bar=2", params(doc),
         text(doc, "signature")},
        {"12345", "https://mycompany.com", "/myapp.php?foo=1&bar=2", params(alt),
         text(alt, "signature")},
        {token, "https://hooks.example.com", "/twilio/status?tenant=7", text(status, "form_body"),
         text(status, "signature")},
        {token, "https://hooks.example.com", text(json, "url").substr(25), text(json, "body"),
         text(json, "signature")},
    };
    for (const auto& c : cases) {
        const auto judge = [&](const std::string& target, const std::string& body,
                               const std::string& signature) {
            return why(receive(account("twilio", {{"auth_token", c.token}}),
                               post(target, body, {{"X-Twilio-Signature", signature}}), vector_time,
                               c.base));
        };
        EXPECT_EQ(judge(c.target, c.body, c.signature), "received");
        // A form may be written in several ways; what counts is what it says.
        const auto said = parse_form(c.body);
        with_each_bit_changed(c.body, [&](const auto& copy, auto at) {
            if (c.target.find("bodySHA256") == std::string::npos && parse_form(copy) == said)
                return;
            EXPECT_EQ(judge(c.target, copy, c.signature), "forged") << at;
        });
        with_each_bit_changed(c.target, [&](const auto& copy, auto at) {
            EXPECT_EQ(judge(copy, c.body, c.signature), "forged") << at;
        });
        with_each_bit_changed(c.signature, [&](const auto& copy, auto at) {
            EXPECT_EQ(judge(c.target, c.body, copy), "forged") << at;
        });
        EXPECT_EQ(judge(c.target, c.body, ""), "unsigned");
    }
}

TEST_F(ReceiptsTest, TwilioTakesAllFourWritingsOfItsUrl) {
    for (const std::string url :
         {"https://a.example/w?ref=a'b", "https://a.example:443/w?ref=a'b",
          "https://a.example/w?ref=a%20b", "https://a.example:443/w?ref=a+b"}) {
        const auto signature = base64(compute_hmac(Digest::sha1, "k", url));
        const auto target = url.substr(url.find("/w"));
        // As it arrives; a blank is written anew as %20.
        const auto as_received = target == "/w?ref=a%20b" ? "/w?ref=a+b" : target;
        EXPECT_EQ(why(receive(account("twilio", {{"auth_token", "k"}}),
                              post(as_received, "", {{"X-Twilio-Signature", signature}}), 0,
                              "https://a.example")),
                  "received")
            << url;
    }
    const auto signature = base64(compute_hmac(Digest::sha1, "k", "https://a.example:8443/w"));
    const auto settings = account("twilio", {{"auth_token", "no"}, {"webhook_auth_token", "k"}});
    const auto call = post("/w", "", {{"X-Twilio-Signature", signature}});
    EXPECT_EQ(why(receive(settings, call, 0, "https://a.example:8443")), "received");
    EXPECT_EQ(why(receive(settings, call, 0, "https://a.example:8444")), "forged");
}

TEST_F(ReceiptsTest, SnsVectors) {
    const auto settings = account("ses", {}, {{"topic_arn", vector_topic}});
    for (const auto* const name :
         {"sns_notification_v1", "sns_notification_v2", "sns_subscription_v1"}) {
        const auto body = vector_file(text(vector(name), "file"));
        EXPECT_EQ(why(receive(settings, post("/", body))), "received") << name;
        // The one field that no signature covers, and that nobody reads.
        const auto loose = body.find("  \"UnsubscribeURL\"");
        with_each_bit_changed(body, [&](const auto& copy, auto at) {
            if (at >= loose) return;
            EXPECT_NE(why(receive(settings, post("/", copy))), "received") << name << " at " << at;
        });
    }
    const auto body = vector_file("sns_subscription_v1.json");
    const auto received = std::get<AcceptedWebhook>(receive(settings, post("/", body)));
    EXPECT_THAT(received.visit,
                ::testing::StartsWith("https://sns.us-east-1.amazonaws.com/?Action=Confirm"));
    const auto other = account("ses", {}, {{"topic_arn", vector_topic + "x"}});
    EXPECT_EQ(why(receive(other, post("/", body))), "wrong_topic");
    EXPECT_EQ(why(receive(account("ses", {}), post("/", body))), "missing_key");
}

TEST_F(ReceiptsTest, SnsCertificatesComeFromSnsOnly) {
    auto settings = account("ses", {}, {{"topic_arn", vector_topic}});
    const auto judge = [&](const std::string& url) {
        auto body = vector_file("sns_notification_v1.json");
        body.replace(body.find(certificate_url), certificate_url.size(), url);
        return why(receive(settings, post("/", body)));
    };
    for (const auto* const host :
         {"https://sns.us-east-1.amazonaws.com", "https://sns.us-east-1.amazonaws.com:443"}) {
        EXPECT_EQ(judge(std::string{host} + "/SimpleNotificationService-0aB9.pem"), "wanted");
    }
    const std::string file = "/SimpleNotificationService-a.pem";
    for (const auto* const host :
         {"http://sns.us-east-1.amazonaws.com", "https://sns.us-east-1.amazonaws.com:8443",
          "https://u@sns.us-east-1.amazonaws.com", "https://sns.us-east-1.amazonaws.com@x.example",
          "https://sns.us-east-1.amazonaws.com.x.example", "https://xsns.us-east-1.amazonaws.com",
          "https://sns.a.b.amazonaws.com", "https://sns..amazonaws.com",
          "https://sns.us-east-1.amazonaws.com.cn", "https://SNS.us-east-1.amazonaws.com",
          "https://x.example/sns.us-east-1.amazonaws.com", "https://localhost:1", "file://",
          "//sns.us-east-1.amazonaws.com", "https://127.0.0.1",
          // Other regions, and buckets of strangers that are called "sns".
          "https://sns.eu-west-1.amazonaws.com", "https://sns.cn-north-1.amazonaws.com.cn",
          "https://sns.s3.amazonaws.com", "https://sns.s3-website-us-east-1.amazonaws.com"}) {
        EXPECT_EQ(judge(host + file), "forged") << host;
    }
    for (const auto* const path :
         {"", "/", "/a.pem", "/SimpleNotificationService-.pem", "/SimpleNotificationService-a.crt",
          "/SimpleNotificationService-a.pem?x=1", "/SimpleNotificationService-a.pem#.pem",
          "/x/SimpleNotificationService-a.pem", "/SimpleNotificationService-a/b.pem",
          "/SimpleNotificationService-%2e%2e.pem", "/SimpleNotificationService-a.pem/",
          "/xSimpleNotificationService-a.pem", "/SimpleNotificationService.pem"}) {
        EXPECT_EQ(judge(std::string{"https://sns.us-east-1.amazonaws.com"} + path), "forged")
            << path;
    }
    EXPECT_EQ(judge(""), "unsigned");
    settings.allow_http = true;
    EXPECT_EQ(judge("https://localhost:8443/sns" + file), "wanted");
    EXPECT_EQ(judge("https://localhost:8443/a.pem"), "forged");
    EXPECT_EQ(judge("http://localhost:8443" + file), "forged");
    EXPECT_EQ(judge("https://localhost.x.example" + file), "forged");
}

TEST_F(ReceiptsTest, SnsCertificatesAreOfTheTopicsRegion) {
    const std::string file = "/SimpleNotificationService-a.pem";
    const auto judge = [&](const std::string& topic, const std::string& host) {
        auto body = vector_file("sns_notification_v1.json");
        body.replace(body.find(certificate_url), certificate_url.size(), "https://" + host + file);
        body.replace(body.find(vector_topic), vector_topic.size(), topic);
        return why(receive(account("ses", {}, {{"topic_arn", topic}}), post("/", body)));
    };
    EXPECT_EQ(judge("arn:aws:sns:eu-west-1:1:t", "sns.eu-west-1.amazonaws.com"), "wanted");
    EXPECT_EQ(judge("arn:aws:sns:eu-west-1:1:t", "sns.us-east-1.amazonaws.com"), "forged");
    EXPECT_EQ(judge("arn:aws-cn:sns:cn-north-1:1:t", "sns.cn-north-1.amazonaws.com.cn"), "wanted");
    EXPECT_EQ(judge("arn:aws-cn:sns:cn-north-1:1:t", "sns.cn-north-1.amazonaws.com"), "forged");
    EXPECT_EQ(judge("arn:aws:sns:s3.x:1:t", "sns.s3.x.amazonaws.com"), "forged");
    EXPECT_EQ(judge("arn:aws:sns::1:t", "sns..amazonaws.com"), "forged");
    EXPECT_EQ(judge("no-arn", "sns.us-east-1.amazonaws.com"), "forged");
}

TEST_F(ReceiptsTest, SnsCertificatesAreMadeOutToSnsAndInForce) {
    const auto settings = account("ses", {}, {{"topic_arn", vector_topic}});
    const auto body = vector_file("sns_notification_v2.json");
    EXPECT_EQ(why(receive(settings, post("/", body))), "received");
    const std::string pem = vector_file("test-only-sns-cert.pem");
    const std::array<std::string, 1> sns{"sns.amazonaws.com"};
    const std::array<std::string, 1> bucket{"sns.s3.amazonaws.com"};
    EXPECT_TRUE(receipts::is_certificate_for(pem, sns, vector_time));
    EXPECT_FALSE(receipts::is_certificate_for(pem, bucket, vector_time)) << "another's name";
    EXPECT_FALSE(receipts::is_certificate_for(pem, sns, 1'735'689'599)) << "not yet";
    EXPECT_FALSE(receipts::is_certificate_for(pem, sns, 2'398'000'000)) << "no longer";
    EXPECT_FALSE(receipts::is_certificate_for("nonsense", sns, vector_time));
}

TEST_F(ReceiptsTest, VonageSmsVectors) {
    const auto& v = vector("vonage_sms_sig");
    const std::string form =
        "api_key=abcd1234&from=AcmeInc&text=Rock+%26+roll+%3D+fun&timestamp=1767225600&to="
        "447700900000";
    for (const auto& [method, key] :
         std::map<std::string, const char*>{{"md5hash", "md5hash"},
                                            {"md5", "md5_hmac"},
                                            {"sha1", "sha1_hmac"},
                                            {"sha256", "sha256_hmac"},
                                            {"sha512", "sha512_hmac"}}) {
        const auto settings = account("vonage", {{"signature_secret", text(v, "secret")}},
                                      {{"signature_method", method}, {"api_key", "abcd1234"}});
        const auto signature = text(v, key);
        const auto judge = [&](const std::string& body, const std::string& sig) {
            return why(receive(settings, post("/", body + "&sig=" + sig)));
        };
        EXPECT_EQ(judge(form, signature), "received") << method;
        auto get = post("/?" + form + "&sig=" + signature, "");
        get.method = "GET";
        EXPECT_EQ(why(receive(settings, get)), "received") << method;
        const auto said = parse_form(form);
        with_each_bit_changed(form, [&](const auto& copy, auto at) {
            if (parse_form(copy) == said) return;
            EXPECT_NE(judge(copy, signature), "received") << method << " at " << at;
        });
        with_each_bit_changed(signature, [&](const auto& copy, auto at) {
            if (lower(copy) == signature) return;  // Samples show capitals, too.
            EXPECT_NE(judge(form, copy), "received") << method << " at " << at;
        });
    }
    const auto& published = vector("vonage_public_vector");
    EXPECT_EQ(why(receive(account("vonage", {{"signature_secret", text(published, "secret")}}),
                          post("/", "param1=value1&param2=value2&timestamp=1234567890&sig=" +
                                        text(published, "sha256_hmac")),
                          1'234'567'890)),
              "received");
}

TEST_F(ReceiptsTest, VonageMessagesVector) {
    const auto& v = vector("vonage_webhook_jwt");
    const auto body = vector_file(text(v, "body_file"));
    const auto token = text(v, "jwt");
    const auto secret = text(v, "signature_secret");
    const auto settings =
        account("vonage", {{"signature_secret", secret}}, {{"api_key", "abcd1234"}});
    const auto judge = [&](const std::string& b, const std::string& t) {
        return why(receive(settings, post("/", b, {{"Authorization", "Bearer " + t}})));
    };
    EXPECT_EQ(judge(body, token), "received");
    with_each_bit_changed(
        body, [&](const auto& c, auto at) { EXPECT_EQ(judge(c, token), "forged") << at; });
    with_each_bit_changed(
        token, [&](const auto& c, auto at) { EXPECT_NE(judge(body, c), "received") << at; });
    EXPECT_EQ(why(receive(account("vonage", {{"signature_secret", secret}}, {{"api_key", "other"}}),
                          post("/", body, {{"Authorization", "Bearer " + token}}))),
              "forged");
    // Signed with the right secret, but not by the one algorithm.
    const auto head = base64url(R"({"alg":"none"})") +
                      token.substr(token.find('.'), token.rfind('.') - token.find('.'));
    EXPECT_EQ(judge(body, head + "." + base64url(compute_hmac(Digest::sha256, secret, head))),
              "forged");
}

TEST_F(ReceiptsTest, WhatIsOldOrFromTheFutureIsRefused) {
    const auto& v = vector("mailgun_webhook");
    const auto call =
        post("/", mailgun_body(text(v, "timestamp"), text(v, "token"), text(v, "signature_hex")));
    EXPECT_EQ(why(receive(mailgun(), call, vector_time + 600)), "received");
    EXPECT_EQ(why(receive(mailgun(), call, vector_time + 601)), "stale");
    EXPECT_EQ(why(receive(mailgun(), call, vector_time - 300)), "received");
    EXPECT_EQ(why(receive(mailgun(), call, vector_time - 301)), "stale");
    const auto settings = account("ses", {}, {{"topic_arn", vector_topic}});
    const auto news = post("/", vector_file("sns_notification_v2.json"));
    EXPECT_EQ(why(receive(settings, news, vector_time + 3'603)), "received");
    EXPECT_EQ(why(receive(settings, news, vector_time + 3'604)), "stale");
    const auto& jwt = vector("vonage_webhook_jwt");
    EXPECT_EQ(why(receive(account("vonage", {{"signature_secret", text(jwt, "signature_secret")}}),
                          post("/", vector_file("vonage_status_body.json"),
                               {{"authorization", "Bearer " + text(jwt, "jwt")}}),
                          vector_time + 601)),
              "stale");
}

}  // namespace
}  // namespace fanfare::test
