#include "sim/providers/fcm/fcm.hpp"

#include "core/handle/handle.hpp"
#include "sim/http/text.hpp"
#include "sim/providers/fcm/access_token.hpp"
#include "sim/providers/fcm/assertion.hpp"
#include "tests/unit/sim/provider_case.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace fanfare::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

OwnedRequest send(std::string body) {
    return {.path = "/v1/projects/p/messages:send",
            .headers = {{"authorization", "Bearer " + make_access_token(test_now_s + 10, 0)},
                        {"content-type", "application/json"}},
            .body = std::move(body)};
}

struct Case {
    const char* why;
    std::string body;
    int status;
    const char* text;
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.why; }

class FcmTest : public testing::TestWithParam<Case> {};

TEST_P(FcmTest, AnswersAsFcmDoes) {
    auto request = send(GetParam().body);
    Checked checked;
    check(*make_fcm({}), request, checked);
    EXPECT_EQ(checked.answer.status, GetParam().status) << checked.answer.body;
    EXPECT_THAT(checked.answer.body, HasSubstr(GetParam().text));
    EXPECT_NO_THROW(std::ignore = boost::json::parse(checked.answer.body));
    EXPECT_EQ(checked.kind == Checked::Kind::bad, GetParam().status != 200);
}

std::string data_of(std::size_t bytes) {
    return R"({"message":{"token":"t","data":{"k":")" + std::string(bytes, 'x') + R"("}}})";
}

INSTANTIATE_TEST_SUITE_P(
    All, FcmTest,
    testing::Values(
        Case{"plain", R"({"message":{"token":"t"}})", 200, "projects/p/messages/"},
        Case{"full",
             R"({"validateOnly":false,"message":{"token":"t:A_b-1",
                 "notification":{"title":"a","body":"b"},
                 "data":{"a":"b"},"android":{"collapseKey":"k","priority":"HIGH","ttl":"3.5s",
                 "notification":{"channel_id":"c","bodyLocArgs":["x"],"notificationCount":2}},
                 "apns":{"headers":{"apns-priority":"10"},"payload":{"aps":{"badge":1}}},
                 "webpush":{"headers":{"TTL":"1"},"notification":{"a":1},
                 "fcmOptions":{"link":"https://x"}},
                 "fcm_options":{"analytics_label":"l"}}})",
             200, "name"},
        Case{"dry run", R"({"validate_only":true,"message":{"token":"t"}})", 200,
             "fake_message_id"},
        Case{"no JSON", "{", 400, "Invalid JSON payload"},
        Case{"a list", "[]", 400, "INVALID_ARGUMENT"},
        Case{"no message", "{}", 400, "message is required"},
        Case{"unknown field", R"({"message":{"token":"t","titel":"x"}})", 400,
             R"(Unknown name \"titel\" at 'message': Cannot find field.)"},
        Case{"unknown inner field", R"({"message":{"token":"t","android":{"tll":"1s"}}})", 400,
             "at 'message.android'"},
        Case{"number in data", R"({"message":{"token":"t","data":{"a":1}}})", 400, "message.data"},
        Case{"two targets", R"({"message":{"token":"t","topic":"x"}})", 400, "Exactly one"},
        Case{"no target", R"({"message":{"data":{}}})", 400, "Exactly one"},
        Case{"reserved key", R"({"message":{"token":"t","data":{"google.x":"1"}}})", 400,
             "google.x"},
        Case{"reserved from", R"({"message":{"token":"t","data":{"from":"1"}}})", 400, "from"},
        Case{"ttl without s", R"({"message":{"token":"t","android":{"ttl":"3600"}}})", 400, "ttl"},
        Case{"ttl too long", R"({"message":{"token":"t","android":{"ttl":"2419201s"}}})", 400,
             "ttl"},
        Case{"bad priority", R"({"message":{"token":"t","android":{"priority":"HIG"}}})", 400,
             "priority"},
        Case{"4096 bytes", data_of(4'095), 200, "name"},
        Case{"4097 bytes", data_of(4'096), 400, "too big"},
        Case{"bad token", R"({"message":{"token":"not a token"}})", 400,
             "The registration token is not a valid FCM registration token"},
        Case{"dead token", R"({"message":{"token":"dead-1"}})", 404, "UNREGISTERED"},
        Case{"other sender", R"({"message":{"token":"mismatch-1"}})", 403, "SENDER_ID_MISMATCH"}));

TEST(Fcm, ReadsTokenAndReference) {
    auto request = send(R"({"message":{"token":"tok","data":{"fanfare":"job.1"}}})");
    Checked checked;
    check(*make_fcm({}), request, checked);
    EXPECT_THAT(checked.recipients, ElementsAre("tok"));
    EXPECT_EQ(checked.reference, "job.1");
    EXPECT_EQ(checked.kind, Checked::Kind::message);
}

TEST(Fcm, AccessTokensEnd) {
    auto request = send(R"({"message":{"token":"t"}})");
    Checked checked;
    check(*make_fcm({}), request, checked, test_now_s + 9);
    EXPECT_EQ(checked.answer.status, 200);
    check(*make_fcm({}), request, checked, test_now_s + 10);
    EXPECT_EQ(checked.answer.status, 401);
    EXPECT_THAT(checked.answer.body, HasSubstr("\"status\":\"UNAUTHENTICATED\""));
    EXPECT_FALSE(is_good_access_token(make_access_token(test_now_s + 10, 0), test_now_s, 1));
    EXPECT_FALSE(is_good_access_token("ya29.other", test_now_s, 0));
}

/// A throw-away RSA key.
class Signer {
public:
    Signer() : key_{EVP_RSA_gen(2048)} {}

    [[nodiscard]] std::string public_pem() const {
        const Handle<BIO, BIO_free> bio{BIO_new(BIO_s_mem())};
        PEM_write_bio_PUBKEY(bio.get(), key_.get());
        char* data = nullptr;
        const auto size = BIO_get_mem_data(bio.get(), &data);
        return {data, static_cast<std::size_t>(size)};
    }

    [[nodiscard]] std::string sign(const std::string& claims) const {
        auto jwt = url64(R"({"alg":"RS256","typ":"JWT"})") + "." + url64(claims);
        const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
        std::string signature(256, '\0');
        auto size = signature.size();
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(jwt.data()), jwt.size());
        return jwt + "." + url64(signature);
    }

private:
    static std::string url64(const std::string& bytes) {
        auto text = base64(bytes);
        std::replace(text.begin(), text.end(), '+', '-');
        std::replace(text.begin(), text.end(), '/', '_');
        text.erase(text.find_last_not_of('=') + 1);
        return text;
    }

    Handle<EVP_PKEY, EVP_PKEY_free> key_;
};

std::string claims(std::int64_t issued, std::int64_t ends,
                   const char* scope = "https://www.googleapis.com/auth/firebase.messaging") {
    return fmt::format(
        R"({{"iss":"a@b","scope":"{}","aud":"http://127.0.0.1:1/token","iat":{},"exp":{}}})", scope,
        issued, ends);
}

TEST(FcmAssertion, ChecksSignatureClaimsAndTimes) {
    const Signer signer;
    const auto pem = signer.public_pem();
    const auto now = test_now_s;
    EXPECT_EQ(check_assertion(signer.sign(claims(now, now + 3600)), pem, now), "");
    EXPECT_THAT(check_assertion(signer.sign(claims(now, now + 3601)), pem, now),
                HasSubstr("short-lived"));
    EXPECT_THAT(check_assertion(signer.sign(claims(now + 600, now + 700)), pem, now),
                HasSubstr("timeframe"));
    EXPECT_THAT(check_assertion(signer.sign(claims(now - 4000, now - 400)), pem, now),
                HasSubstr("timeframe"));
    EXPECT_THAT(check_assertion(signer.sign(claims(now, now + 60, "x")), pem, now),
                HasSubstr("scope"));
    EXPECT_EQ(check_assertion(Signer{}.sign(claims(now, now + 60)), pem, now),
              "Invalid JWT Signature.");
    EXPECT_EQ(check_assertion(Signer{}.sign(claims(now, now + 60)), "", now), "");
    EXPECT_EQ(check_assertion("nonsense", pem, now), "Bad Request");
}

TEST(FcmToken, GivesATokenThatSends) {
    const auto endpoint = make_fcm_token({});
    const auto now = test_now_s;
    OwnedRequest request{.path = "/token",
                         .headers = {{"content-type", "application/x-www-form-urlencoded"}},
                         .body =
                             "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
                             "&assertion=" +
                             Signer{}.sign(claims(now, now + 3600))};
    Checked checked;
    check(*endpoint, request, checked);
    ASSERT_EQ(checked.answer.status, 200) << checked.answer.body;
    const auto token = boost::json::parse(checked.answer.body).at("access_token").as_string();
    EXPECT_TRUE(is_good_access_token(token, now, 0));
    EXPECT_EQ(checked.kind, Checked::Kind::other);
    request.body = "grant_type=password";
    check(*endpoint, request, checked);
    EXPECT_EQ(checked.answer.status, 400);
}

}  // namespace
}  // namespace fanfare::sim
