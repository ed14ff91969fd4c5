#include "core/providers/vonage/vonage.hpp"

#include "core/providers/registry.hpp"
#include "core/providers/vonage/app_token.hpp"
#include "core/providers/vonage/signature.hpp"
#include "core/reference/compact.hpp"
#include "tests/contract/accounts.hpp"
#include "tests/contract/wire_reader.hpp"
#include "tests/unit/providers/jwt.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <array>
#include <map>

namespace fanfare::testing {
namespace {

using Keys = std::vector<std::string>;

const SendReference reference{"6f1c2b1e-0000-4000-8000-000000000001", 3, "show.reminder", ""};
constexpr auto whole_reference = "6f1c2b1e-0000-4000-8000-000000000001.3.12.Zz09-_aBcDe";

HttpRequest compose(const Provider& provider, const std::string& text = "Rock & roll = fun",
                    std::int64_t expires_at = 0, const SendReference& its = reference,
                    std::string_view ref = "12.Zz09-_aBcDe") {
    Content content;
    content.channel = Channel::sms;
    content.text = {{text, {}}};
    const std::array one{Message{"1", "+447700900000", nullptr, ref}};
    HttpRequest request;
    provider.compose({content, one, its, expires_at}, request);
    return request;
}

std::map<std::string, std::string> fields(const HttpRequest& request) {
    const auto list = read_form(request.body);
    return {list.begin(), list.end()};
}

TEST(Vonage, WritesTheWholeCall) {
    const auto request = compose(*open(vonage_account()), "Rock & roll", test_now + 900);
    EXPECT_EQ(request.url, "https://rest.nexmo.com/sms/json");
    EXPECT_EQ(request.headers, Keys{"Content-Type: application/x-www-form-urlencoded"});
    EXPECT_FALSE(request.http2);
    EXPECT_EQ(request.body,
              "api_key=abcd1234&api_secret=vonage-secret-01"
              "&callback=https%3A%2F%2Fhooks.example.com%2Fwebhooks%2Fnexmo"
              "&client-ref=bxwrHgAAQACAAAAAAAAAAQAAAMAAMZz09-_aBcDe"
              "&from=AcmeInc&text=Rock%20%26%20roll&to=447700900000&ttl=900000");
}

TEST(Vonage, NamesTheSendInFortyCharacters) {
    const auto provider = open(vonage_account());
    EXPECT_EQ(expand_reference(fields(compose(*provider)).at("client-ref")), whole_reference);
    const auto untagged = fields(compose(*provider, "x", 0, reference, "12"));
    EXPECT_EQ(untagged.at("client-ref"), reference.job) << "the job at least";
}

TEST(Vonage, ChoosesUnicodeForWhatGsm7DoesNotHave) {
    const auto provider = open(vonage_account());
    EXPECT_FALSE(fields(compose(*provider,
                                "Gr\xC3\xBC\xC3\x9F"
                                "e \xE2\x82\xAC"))
                     .contains("type"));
    EXPECT_EQ(fields(compose(*provider, "\xC5\x82")).at("type"), "unicode");
}

TEST(Vonage, BoundsTheTimeInVonagesQueue) {
    const auto provider = open(vonage_account());
    const auto ttl = [&](std::int64_t expires_at) {
        const auto all = fields(compose(*provider, "x", expires_at));
        return all.contains("ttl") ? all.at("ttl") : "(none)";
    };
    EXPECT_EQ(ttl(0), "(none)");
    EXPECT_EQ(ttl(test_now - 5), "20000");
    EXPECT_EQ(ttl(test_now + 21), "21000");
    EXPECT_EQ(ttl(test_now + 9'999'999), "604800000");
}

TEST(Vonage, LeavesOutACallbackThatWouldBeRefused) {
    auto account = vonage_account();
    account.name = std::string(100, 'n');
    EXPECT_FALSE(fields(compose(*open(account))).contains("callback"));
}

TEST(Vonage, SignsWithTheMethodOfTheAccount) {
    auto account = vonage_account();
    account.options["signature_method"] = "sha256";
    account.secrets.clear();
    account.secrets.emplace("signature_secret", Secret{"my_signature_secret"});
    const auto made = make_provider(account, {.callback_url = "", .clock = &test_clock()});
    const auto all = fields(compose(*std::get<0>(made), "Rock & roll = \xFF\x01\n"));
    EXPECT_FALSE(all.contains("api_secret")) << "never both";
    EXPECT_EQ(all.at("timestamp"), "1767225600");
    const std::vector<vonage::Parameter> signed_fields{
        {"api_key", "abcd1234"},
        {"client-ref", all.at("client-ref")},
        {"from", "AcmeInc"},
        {"text", "Rock & roll = \xEF\xBF\xBD \n"},  // What is received, not what was given.
        {"timestamp", "1767225600"},
        {"to", "447700900000"},
        {"type", "unicode"}};
    EXPECT_EQ(all.at("sig"), vonage::sign_parameters(signed_fields, "my_signature_secret",
                                                     vonage::SignatureMethod::sha256));
}

TEST(VonageSignature, AgreesWithTheVectors) {
    const auto all = vectors();
    const auto& vector = all.at("vonage_sms_sig").as_object();
    const std::vector<vonage::Parameter> parameters{{"api_key", "abcd1234"},
                                                    {"from", "AcmeInc"},
                                                    {"text", "Rock & roll = fun"},
                                                    {"timestamp", "1767225600"},
                                                    {"to", "447700900000"}};
    const std::string secret{vector.at("secret").as_string()};
    for (const auto& [word, key] : std::map<std::string, std::string>{{"md5hash", "md5hash"},
                                                                      {"md5", "md5_hmac"},
                                                                      {"sha1", "sha1_hmac"},
                                                                      {"sha256", "sha256_hmac"},
                                                                      {"sha512", "sha512_hmac"}}) {
        const auto method = vonage::parse_signature_method(word);
        ASSERT_TRUE(method.has_value()) << word;
        EXPECT_EQ(vonage::sign_parameters(parameters, secret, *method),
                  std::string{vector.at(key).as_string()})
            << word;
    }
    const std::vector<vonage::Parameter> published{
        {"param1", "value1"}, {"param2", "value2"}, {"timestamp", "1234567890"}};
    EXPECT_EQ(
        vonage::sign_parameters(published, "signature_secret", vonage::SignatureMethod::sha256),
        std::string{all.at("vonage_public_vector").at("sha256_hmac").as_string()});
    EXPECT_FALSE(vonage::parse_signature_method("sha-256"));
}

TEST(VonageMessagesApi, WritesTheWholeCall) {
    auto account = vonage_messages_account();
    account.options.erase("application_id");
    account.options["from"] = "+15005550006";
    account.secrets.clear();
    account.secrets.emplace("api_secret", Secret{"s"});
    const auto request = compose(*open(account), "\xC5\x82 \"x\"", test_now + 900);
    EXPECT_EQ(request.url, "https://api.nexmo.com/v1/messages");
    EXPECT_EQ(header(request, "Authorization"), "Basic YWJjZDEyMzQ6cw==");
    EXPECT_EQ(boost::json::parse(request.body), boost::json::parse(R"({
        "message_type":"text","channel":"sms","from":"15005550006","to":"447700900000",
        "text":"\u0142 \"x\"",
        "client_ref":"6f1c2b1e-0000-4000-8000-000000000001.3.12.Zz09-_aBcDe","ttl":900,
        "webhook_url":"https://hooks.example.com/webhooks/nexmo","webhook_version":"v1",
        "sms":{"encoding_type":"unicode"}})"));
}

TEST(VonageAppToken, SignsTheInputOfTheVector) {
    const std::string jwt{vectors().at("vonage_app_jwt").at("jwt").as_string()};
    EXPECT_EQ(vonage::app_token_input("aaaaaaaa-bbbb-cccc-dddd-0123456789ab", test_now,
                                      "0c1502ae-9bb9-48c4-bd2d-28aa5e1b6d19"),
              jwt.substr(0, jwt.rfind('.')));
    EXPECT_TRUE(is_signed(jwt, vector_file("test-only-rsa2048.pub.pem")));
}

TEST(VonageAppToken, IsSignedAndKeptForTenMinutes) {
    ManualClock clock{TimePoint{std::chrono::seconds{test_now}}};
    const auto& pair = generated_key_pair();
    const vonage::AppToken token{"app", parse_private_key(pair.private_pem, "RSA"), clock};
    const auto first = *token.header();
    ASSERT_TRUE(first.starts_with("Authorization: Bearer "));
    EXPECT_TRUE(is_signed(first.substr(22), pair.public_pem));
    clock.advance(std::chrono::seconds{599});
    EXPECT_EQ(*token.header(), first);
    clock.advance(std::chrono::seconds{1});
    const auto second = *token.header();
    EXPECT_NE(second, first);
    EXPECT_EQ(claims_of(second.substr(22)).at("iat"), test_now + 600);
    EXPECT_EQ(claims_of(second.substr(22)).at("exp"), test_now + 1500);
}

TEST(VonageOptions, NameOneWayIn) {
    const auto refused = [](auto change) {
        auto account = vonage_account();
        change(account);
        Keys keys;
        const auto made = make_provider(account, {});
        if (const auto* const problems = std::get_if<Problems>(&made)) {
            for (const auto& one : *problems) keys.push_back(one.key.substr(13));
        }
        return keys;
    };
    EXPECT_EQ(refused([](auto&) {}), Keys{});
    EXPECT_EQ(refused([](auto& a) { a.secrets.clear(); }), Keys{"api_secret"});
    EXPECT_EQ(refused([](auto& a) { a.options["signature_method"] = "md4"; }),
              (Keys{"signature_method", "signature_secret"}));
    EXPECT_EQ(refused([](auto& a) { a.options["application_id"] = "x"; }), Keys{"application_id"});
    EXPECT_EQ(refused([](auto& a) { a.options["api"] = "rest"; }), Keys{"api"});
    EXPECT_EQ(refused([](auto& a) { a.options["from"] = "name too long"; }), Keys{"from"});
    EXPECT_EQ(refused([](auto& a) { a.options["base_url"] = "http://x.example"; }),
              Keys{"base_url"});
    EXPECT_EQ(refused([](auto& a) { a.batch_max = 2; }), Keys{"batch_max"});
    EXPECT_EQ(refused([](auto& a) {
                  a.options["api"] = "messages";
                  a.options["signature_method"] = "md5";
                  a.options["application_id"] = "a\"b";
                  a.secrets["private_key"] = Secret{generated_curve_pair().private_pem};
              }),
              (Keys{"signature_method", "private_key", "application_id"}));
}

}  // namespace
}  // namespace fanfare::testing
