#include "sim/providers/vonage/vonage.hpp"

#include "core/handle/handle.hpp"
#include "sim/http/text.hpp"
#include "sim/webhooks/signing.hpp"
#include "tests/unit/sim/provider_case.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <boost/json/parse.hpp>

namespace fanfare::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto compact = "bxwrHgAAQACAAAAAAAAAAQAAAMAAMZz09-_aBcDe";
constexpr auto whole = "6f1c2b1e-0000-4000-8000-000000000001.3.12.Zz09-_aBcDe";
const std::string key = "api_key=abcd1234&api_secret=0123456789abcdef";
const std::string to_from = key + "&to=447700900000&from=AcmeInc";

OwnedRequest form(std::string body) {
    return {.path = "/sms/json",
            .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
            .body = std::move(body)};
}

OwnedRequest message(std::string body) {
    return {.path = "/v1/messages",
            .headers = {{"Content-Type", "application/json"},
                        {"Authorization", "Basic " + base64("abcd1234:0123456789abcdef")}},
            .body = std::move(body)};
}

struct Case {
    const char* why;
    std::string body;
    std::string code;  // "0" and "": sent.
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.why; }

class VonageSmsTest : public testing::TestWithParam<Case> {};

TEST_P(VonageSmsTest, AnswersAsVonageDoes) {
    auto request = form(GetParam().body);
    Checked checked;
    check(*make_vonage({}), request, checked);
    EXPECT_EQ(checked.answer.status, 200) << "whatever happened";
    const auto answer = boost::json::parse(checked.answer.body);
    EXPECT_EQ(answer.at("messages").at(0).at("status"), boost::json::value(GetParam().code));
    const bool sent = GetParam().code == "0";
    EXPECT_EQ(checked.kind == Checked::Kind::message, sent);
    EXPECT_EQ(checked.recipients.size(), sent ? 1U : 0U);
}

INSTANTIATE_TEST_SUITE_P(
    All, VonageSmsTest,
    testing::Values(
        Case{"good", to_from + "&text=Hi", "0"},
        Case{"all fields",
             to_from + "&text=Hi&type=unicode&ttl=20000&client-ref=" + std::string(40, 'x') +
                 "&callback=https%3A%2F%2Fh.example%2F&status-report-req=1&message-class=1",
             "0"},
        Case{"3200 characters", to_from + "&text=" + std::string(3'200, 'x'), "0"},
        Case{"3201 characters", to_from + "&text=" + std::string(3'201, 'x'), "12"},
        Case{"no key", "to=447700900000&from=AcmeInc&text=Hi", "2"},
        Case{"no secret", "api_key=abcd1234&to=447700900000&from=AcmeInc&text=Hi", "2"},
        Case{"other key", "api_key=x&api_secret=0123456789abcdef&to=447700900000&text=Hi", "4"},
        Case{"other secret", "api_key=abcd1234&api_secret=x&to=447700900000&text=Hi", "4"},
        Case{"secret and signature", to_from + "&text=Hi&sig=x", "32"},
        Case{"no to", key + "&from=AcmeInc&text=Hi", "2"},
        Case{"no from", key + "&to=447700900000&text=Hi", "2"}, Case{"no text", to_from, "2"},
        Case{"plus", key + "&to=%2B447700900000&from=AcmeInc&text=Hi", "3"},
        Case{"short number", key + "&to=123456&from=AcmeInc&text=Hi", "3"},
        Case{"long sender", key + "&to=447700900000&from=FanfareFanfare&text=Hi", "3"},
        Case{"ttl in seconds", to_from + "&text=Hi&ttl=900", "3"},
        Case{"ttl too long", to_from + "&text=Hi&ttl=604800001", "3"},
        Case{"unknown type", to_from + "&text=Hi&type=utf8", "3"},
        Case{"long reference", to_from + "&text=Hi&client-ref=" + std::string(41, 'x'), "3"},
        Case{"long callback",
             to_from + "&text=Hi&callback=https%3A%2F%2Fh.example%2F" + std::string(85, 'x'), "23"},
        Case{"not UTF-8", to_from + "&text=%ff", "3"},
        Case{"broken escape", to_from + "&text=%2", "2"}));

TEST(VonageSms, ChecksSignatures) {
    const ProviderOptions options;
    const auto signed_form = [&](std::int64_t timestamp, const std::string& secret,
                                 const std::string& text) {
        const auto now = std::to_string(timestamp);
        const auto sig = vonage_signature("md5hash", secret,
                                          {{"api_key", "abcd1234"},
                                           {"from", "AcmeInc"},
                                           {"text", "a&b=c"},
                                           {"timestamp", now},
                                           {"to", "447700900000"}});
        return form("api_key=abcd1234&from=AcmeInc&text=" + text +
                    "&to=447700900000&timestamp=" + now + "&sig=" + sig);
    };
    const auto status = [&](OwnedRequest request) {
        Checked checked;
        check(*make_vonage(options), request, checked);
        return std::string{
            boost::json::parse(checked.answer.body).at("messages").at(0).at("status").as_string()};
    };
    const auto& secret = options.vonage_signature_secret;
    EXPECT_EQ(status(signed_form(test_now_s, secret, "a%26b%3Dc")), "0");
    EXPECT_EQ(status(signed_form(test_now_s, secret, "another")), "14");
    EXPECT_EQ(status(signed_form(test_now_s, "x", "a%26b%3Dc")), "14");
    EXPECT_EQ(status(signed_form(test_now_s - 301, secret, "a%26b%3Dc")), "14");
}

TEST(VonageSms, ReadsBothKindsOfReference) {
    Checked checked;
    for (const auto& [given, read] : {std::pair{compact, whole}, {"job-1.4", "job-1.4"}}) {
        auto request = form(to_from + "&text=Hi&client-ref=" + given);
        check(*make_vonage({}), request, checked);
        EXPECT_EQ(checked.reference, read);
        EXPECT_THAT(checked.recipients, ElementsAre("+447700900000"));
        EXPECT_THAT(checked.answer.body, HasSubstr(given));
    }
}

TEST(VonageSms, ShowsWhatAPersonSees) {
    auto request = form(to_from + "&text=%C5%82%20%E2%82%AC");
    const auto shown = make_vonage({})->render(request.view(), "+447700900000");
    ASSERT_TRUE(shown.has_value());
    EXPECT_EQ(shown->at("text"), "? \xE2\x82\xAC") << "type=unicode was not asked for";
    request.body += "&type=unicode";
    EXPECT_EQ(make_vonage({})->render(request.view(), "+447700900000")->at("text"),
              "\xC5\x82 \xE2\x82\xAC");
    EXPECT_FALSE(make_vonage({})->render(request.view(), "+447700900001").has_value());
}

TEST(VonageSms, AnswersOnceForEachPart) {
    auto request = form(to_from + "&text=" + std::string(161, 'x'));
    Checked checked;
    check(*make_vonage({}), request, checked);
    const auto answer = boost::json::parse(checked.answer.body);
    EXPECT_EQ(answer.at("message-count"), "2");
    EXPECT_NE(answer.at("messages").at(0).at("message-id"),
              answer.at("messages").at(1).at("message-id"));
}

class VonageMessagesTest : public testing::TestWithParam<Case> {};

TEST_P(VonageMessagesTest, AnswersAsVonageDoes) {
    auto request = message(GetParam().body);
    Checked checked;
    check(*make_vonage({}), request, checked);
    const auto answer = boost::json::parse(checked.answer.body).as_object();
    if (GetParam().code.empty()) {
        EXPECT_EQ(checked.answer.status, 202) << checked.answer.body;
        EXPECT_EQ(answer.at("message_uuid").as_string().size(), 36U);
        EXPECT_THAT(checked.recipients, ElementsAre("+447700900000"));
        return;
    }
    EXPECT_EQ(checked.answer.status, 422);
    EXPECT_EQ(checked.answer.type, "application/problem+json");
    EXPECT_TRUE(answer.at("type").as_string().ends_with("#" + GetParam().code));
}

std::string json_with(const std::string& more, const std::string& to = "447700900000",
                      const std::string& text = "Hi") {
    return R"({"message_type":"text","channel":"sms","from":"AcmeInc","to":")" + to +
           R"(","text":")" + text + "\"" + more + "}";
}

INSTANTIATE_TEST_SUITE_P(
    All, VonageMessagesTest,
    testing::Values(
        Case{"good", json_with(""), ""},
        Case{"all fields",
             json_with(R"(,"client_ref":"r","ttl":900,"webhook_url":"https://h.example/",
                          "webhook_version":"v1","sms":{"encoding_type":"unicode"})"),
             ""},
        Case{"1000 characters", json_with("", "447700900000", std::string(1'000, 'x')), ""},
        Case{"1001 characters", json_with("", "447700900000", std::string(1'001, 'x')), "1090"},
        Case{"plus", json_with("", "+447700900000"), "1170"}, Case{"no JSON", "{", "1020"},
        Case{"a list", "[]", "1020"},
        Case{"unknown field", json_with(R"(,"client-ref":"x")"), "1020"},
        Case{"no text", json_with("", "447700900000", ""), "1010"},
        Case{"number in place of text", json_with(R"(,"client_ref":1)"), "1020"},
        Case{"long reference", json_with(R"(,"client_ref":")" + std::string(101, 'x') + "\""),
             "1020"},
        Case{"ttl in milliseconds", json_with(R"(,"ttl":900000)"), "1130"},
        Case{"ttl as text", json_with(R"(,"ttl":"900")"), "1130"},
        Case{"encoding", json_with(R"(,"sms":{"encoding_type":"utf8"})"), "1020"},
        Case{"webhook", json_with(R"(,"webhook_url":"h.example")"), "1020"}));

TEST(VonageMessages, ChecksCredentials) {
    Checked checked;
    auto request = message(json_with(""));
    request.headers[1].second = "Basic eDp5";
    check(*make_vonage({}), request, checked);
    EXPECT_EQ(checked.answer.status, 401);
    EXPECT_THAT(checked.answer.body, HasSubstr("#unauthorized"));
}

TEST(VonageMessages, ChecksTokens) {
    EVP_PKEY* const pair = EVP_RSA_gen(2048);
    const KeyPair owner{pair, EVP_PKEY_free};
    BIO* const memory = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(memory, pair);
    char* pem = nullptr;
    const auto length = BIO_get_mem_data(memory, &pem);
    ProviderOptions strict;
    strict.vonage_public_key.assign(pem, static_cast<std::size_t>(length));
    BIO_free(memory);
    const auto token = [&](const std::string& claims) {
        const auto text =
            base64url(R"({"typ":"JWT","alg":"RS256"})") + "." + base64url("{" + claims + "}");
        return text + "." + base64url(sign(owner, "sha256", text));
    };
    const auto status = [](const ProviderOptions& options, const std::string& jwt) {
        auto request = message(json_with(""));
        request.headers[1].second = "Bearer " + jwt;
        Checked checked;
        check(*make_vonage(options), request, checked);
        return checked.answer.status;
    };
    const auto claims = [](std::int64_t issued, std::int64_t ends) {
        return fmt::format(R"("application_id":"a","jti":"j","iat":{},"exp":{})", issued, ends);
    };
    const auto now = test_now_s;
    const auto good = token(claims(now, now + 900));
    EXPECT_EQ(status(strict, good), 202);
    auto forged = good;
    forged[good.size() - 9] = forged[good.size() - 9] == 'A' ? 'B' : 'A';
    EXPECT_EQ(status(strict, forged), 401);
    EXPECT_EQ(status({}, forged), 202) << "without a key any well-formed one will do";
    EXPECT_EQ(status(strict, token(claims(now - 900, now))), 401) << "over";
    EXPECT_EQ(status(strict, token(claims(now + 301, now + 900))), 401) << "of tomorrow";
    EXPECT_EQ(status(strict, token(fmt::format(R"("iat":{},"exp":{})", now, now + 9))), 401);
    EXPECT_EQ(status({}, "nonsense"), 401);
}

TEST(Vonage, WordsTroubleAsEachApiDoes) {
    const auto said = [](Trouble trouble, std::string_view path) {
        Answer answer;
        trouble.path = path;
        trouble.recipient = "+447700900000";
        make_vonage({})->refuse(trouble, answer);
        return fmt::format("{} {}", answer.status, answer.body);
    };
    const auto sms = [&said](Trouble trouble) { return said(trouble, "/sms/json"); };
    using Kind = Trouble::Kind;
    EXPECT_THAT(sms({.kind = Kind::refuse, .recipient = {}, .code = {}}), HasSubstr("\"6\""));
    EXPECT_THAT(sms({.kind = Kind::refuse, .recipient = {}, .code = "33"}), HasSubstr("\"33\""));
    EXPECT_THAT(sms({.kind = Kind::throttle, .recipient = {}, .code = {}}), HasSubstr("\"1\""));
    EXPECT_THAT(sms({.kind = Kind::concurrency, .recipient = {}, .code = {}}), HasSubstr("\"10\""));
    EXPECT_THAT(sms({.kind = Kind::error, .recipient = {}, .code = {}}), HasSubstr("200 "));
    EXPECT_THAT(sms({.kind = Kind::error, .recipient = {}, .code = {}, .status = 502}),
                HasSubstr("502 "));
    const auto messages = [&said](Trouble trouble) { return said(trouble, "/v1/messages"); };
    EXPECT_THAT(messages({.kind = Kind::refuse, .recipient = {}, .code = {}}),
                HasSubstr("422 {\"type\":\"https://developer.vonage.com/api-errors/messages#1040"));
    EXPECT_THAT(messages({.kind = Kind::refuse, .recipient = {}, .code = "1241"}),
                HasSubstr("#1241"));
    EXPECT_THAT(messages({.kind = Kind::throttle, .recipient = {}, .code = {}}), HasSubstr("429 "));
    EXPECT_THAT(messages({.kind = Kind::error, .recipient = {}, .code = {}}), HasSubstr("503 "));
}

}  // namespace
}  // namespace fanfare::sim
