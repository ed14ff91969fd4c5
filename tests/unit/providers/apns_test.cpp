#include "core/providers/apns/apns.hpp"

#include "core/providers/apns/es256.hpp"
#include "core/providers/apns/provider_token.hpp"
#include "core/providers/registry.hpp"
#include "tests/contract/accounts.hpp"
#include "tests/contract/wire_reader.hpp"
#include "tests/unit/providers/answer_case.hpp"
#include "tests/unit/providers/jwt.hpp"

#include <boost/json/parse.hpp>

#include <array>
#include <atomic>
#include <set>
#include <thread>

namespace fanfare::testing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const SendReference reference{"job-1", 3, "show.reminder", ""};

Content show() {
    Content content;
    content.channel = Channel::push;
    content.variables = {"name"};
    content.subject = {{"Soon", {}}};
    content.text = {{"Hello ", Slot{0, Escape::none}}};
    return content;
}

HttpRequest compose(const Provider& provider, const Content& content, std::int64_t expires_at = 0,
                    std::string_view token = "00fc13adff785122") {
    const std::string_view name = "\"Ann\"";
    const std::array one{Message{"1", token, &name, "0.AAAAAAAAAAA"}};
    HttpRequest request;
    provider.compose({content, one, reference, expires_at}, request);
    return request;
}

TEST(Apns, WritesTheWholeCall) {
    auto content = show();
    content.data = {{"show", "42"}, {"aps", "x"}, {"fanfare", "x"}};
    content.collapse_key = "show-42";
    const auto request = compose(*open(apns_account()), content, test_now + 900);
    EXPECT_EQ(request.url, "https://api.push.apple.com/3/device/00fc13adff785122");
    EXPECT_TRUE(request.http2);
    EXPECT_EQ(request.headers.size(), 7U);
    EXPECT_EQ(header(request, "apns-topic"), "org.example.shows");
    EXPECT_EQ(header(request, "apns-push-type"), "alert");
    EXPECT_EQ(header(request, "apns-priority"), "10");
    EXPECT_EQ(header(request, "apns-expiration"), "1767226500");
    EXPECT_EQ(header(request, "apns-collapse-id"), "show-42");
    const auto token = header(request, "authorization");
    ASSERT_TRUE(token.starts_with("bearer "));
    EXPECT_TRUE(is_signed(token.substr(7), generated_curve_pair().public_pem));
    EXPECT_EQ(boost::json::parse(request.body), boost::json::parse(R"({
        "aps":{"alert":{"title":"Soon","body":"Hello \"Ann\""},"sound":"default"},
        "fanfare":"job-1.3","show":"42"})"));
}

TEST(Apns, LetsNoTokenChangeThePath) {
    const auto request = compose(*open(apns_account()), show(), 0, "dev:APA91b_x-1");
    EXPECT_EQ(request.url, "https://api.push.apple.com/3/device/dev%3AAPA91b_x-1");
    EXPECT_EQ(header(request, "apns-expiration"), "");
}

TEST(Apns, FitsTheCollapseIdIntoItsHeader) {
    const auto provider = open(apns_account());
    const auto id = [&](const std::string& key) {
        auto content = show();
        content.collapse_key = key;
        return header(compose(*provider, content), "apns-collapse-id");
    };
    EXPECT_EQ(id(""), "job-1") << "a repeat replaces the first";
    EXPECT_EQ(id(std::string(64, 'k')), std::string(64, 'k'));
    EXPECT_EQ(id("abc" + std::string(62, ' ')).size(), 64U);
    // sha256sum of 65 times "k".
    EXPECT_EQ(id(std::string(65, 'k')),
              "f39cdc2584758c99cf81c1f41d2572f54e17066afffc9d187aeafe5f7cbe2122");
    EXPECT_NE(id("caf\xC3\xA9"), id("caf\xC3\xA8"));
    EXPECT_EQ(id("a\r\nX: y").size(), 64U);
}

TEST(Es256, AgreesWithTheVectors) {
    const auto all = vectors();
    for (const auto* const name : {"apns_provider_jwt", "apns_provider_jwt_short_integer"}) {
        const auto& vector = all.at(name).as_object();
        const auto bytes = [&vector](const char* key) {
            const std::string hex{vector.at(key).as_string()};
            std::string out;
            for (std::size_t i = 0; i < hex.size(); i += 2) {
                out.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
            }
            return out;
        };
        EXPECT_EQ(apns::raw_signature(bytes("signature_der_hex")), bytes("signature_raw_rs_hex"))
            << name;
        const std::string jwt{vector.at("jwt").as_string()};
        const auto issued = claims_of(jwt).at("iat").as_int64();
        EXPECT_EQ(apns::token_input("ABC123DEFG", "TEAM123456", issued),
                  jwt.substr(0, jwt.rfind('.')));
        EXPECT_TRUE(is_signed(jwt, vector_file("test-only-p256.pub.pem")));
    }
}

TEST(Es256, PadsWhateverTheNumbersAre) {
    const auto& pair = generated_curve_pair();
    const auto key = apns::parse_es256_key(pair.private_pem);
    ASSERT_TRUE(key);
    // One number in 128 is short by a byte or more, so several of these are.
    for (int i = 0; i < 600; ++i) {
        const auto jwt = apns::sign_es256(*key, "e30." + std::to_string(i));
        EXPECT_EQ(from_base64url(jwt.substr(jwt.rfind('.') + 1)).size(), 64U);
        EXPECT_TRUE(is_signed(jwt, pair.public_pem)) << i;
    }
}

TEST(Es256, RefusesOtherKeysAndSignatures) {
    EXPECT_FALSE(apns::parse_es256_key(""));
    EXPECT_FALSE(apns::parse_es256_key("-----BEGIN PRIVATE KEY-----\nAAAA\n"));
    EXPECT_FALSE(apns::parse_es256_key(generated_key_pair().private_pem)) << "RSA";
    using namespace std::string_literals;
    for (const auto& der :
         {""s, "0"s, "\x30\x06\x02\x01\x01\x02\x01"s, "\x30\x06\x02\x01\x01\x02\x01\x01x"s}) {
        EXPECT_FALSE(apns::raw_signature(der));
    }
    EXPECT_EQ(apns::raw_signature("\x30\x06\x02\x01\x01\x02\x01\x02"s),
              std::string(31, '\0') + "\1" + std::string(31, '\0') + "\2");
    const auto huge = "\x30\x26\x02\x21"s + std::string(33, '\x7f') + "\x02\x01\x01"s;
    EXPECT_FALSE(apns::raw_signature(huge)) << "33 bytes";
}

class ApnsToken : public ::testing::Test {
protected:
    ManualClock clock_{TimePoint{seconds{test_now}}};
    apns::ProviderToken token_{"ABC123DEFG", "TEAM123456",
                               apns::parse_es256_key(generated_curve_pair().private_pem), clock_};
};

TEST_F(ApnsToken, IsRenewedAtFortyFiveMinutes) {
    const auto first = *token_.header();
    clock_.advance(minutes{45} - seconds{1});
    EXPECT_EQ(*token_.header(), first);
    clock_.advance(seconds{1});
    const auto second = *token_.header();
    EXPECT_NE(second, first);
    EXPECT_EQ(claims_of(second.substr(22)).at("iat"), test_now + 45 * 60);
}

TEST_F(ApnsToken, IsNeverRenewedWithinTwentyMinutes) {
    token_.renew();
    const auto first = *token_.header();
    clock_.advance(minutes{20} - seconds{1});
    token_.renew();
    EXPECT_EQ(*token_.header(), first);
    clock_.advance(seconds{1});
    token_.renew();
    const auto second = *token_.header();
    EXPECT_NE(second, first);
    token_.renew();
    EXPECT_EQ(*token_.header(), second) << "of several refusals at once, one counts";
}

TEST_F(ApnsToken, IsOneForAllThreads) {
    std::array<std::set<std::string>, 4> seen;
    {
        std::vector<std::jthread> threads;
        for (auto& mine : seen) {
            threads.emplace_back([this, &mine] {
                for (int i = 0; i < 200; ++i) {
                    token_.renew();
                    mine.insert(*token_.header());
                }
            });
        }
    }
    std::set<std::string> all;
    for (const auto& mine : seen) all.insert(mine.begin(), mine.end());
    EXPECT_EQ(all.size(), 1U);
}

TEST(ApnsRenewal, FollowsARefusal) {
    ManualClock clock{TimePoint{seconds{test_now}}};
    const auto made = make_provider(apns_account(), {.callback_url = "", .clock = &clock});
    const auto& provider = std::get<0>(made);
    const auto first = header(compose(*provider, show()), "authorization");
    clock.advance(minutes{21});
    EXPECT_EQ(header(compose(*provider, show()), "authorization"), first);
    provider->renew({});
    EXPECT_NE(header(compose(*provider, show()), "authorization"), first);
}

TEST(ApnsOptions, AreChecked) {
    const auto refused = [](auto change) {
        auto account = apns_account();
        change(account);
        std::vector<std::string> keys;
        const auto made = make_provider(account, {});
        if (const auto* const problems = std::get_if<Problems>(&made)) {
            for (const auto& one : *problems) keys.push_back(one.key.substr(13));
        }
        return keys;
    };
    using Keys = std::vector<std::string>;
    EXPECT_EQ(refused([](auto&) {}), Keys{});
    EXPECT_EQ(refused([](auto& a) { a.secrets.clear(); }), Keys{"private_key"});
    EXPECT_EQ(refused([](auto& a) {
                  a.options = {{"key_id", "short"}, {"team_id", "TEAM12345\""}, {"topic", "a b"}};
                  a.secrets["private_key"] = Secret{generated_key_pair().private_pem};
              }),
              (Keys{"key_id", "team_id", "topic", "private_key"}));
}

TEST(Apns, KnowsWhatIsTooLargeWhoeverItIsFor) {
    const auto provider = open(apns_account());
    const auto read = [&](std::size_t size) {
        Content content;
        content.channel = Channel::push;
        content.text = {{std::string(size, 'x'), {}}};
        const Message one{"1", "abcdef", nullptr, ""};
        const SendReference its{"job-1", 3, "", ""};
        const Batch batch{content, {&one, 1}, its, 0};
        HttpRequest request;
        provider->compose(batch, request);
        return std::pair{request.body.size(), provider->is_too_large(batch, request)};
    };
    const auto rest = read(0).first;
    EXPECT_EQ(read(4'096 - rest), (std::pair<std::size_t, bool>{4'096, false}));
    EXPECT_EQ(read(4'097 - rest), (std::pair<std::size_t, bool>{4'097, true}));
}

}  // namespace
}  // namespace fanfare::testing
