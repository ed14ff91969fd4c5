#include "core/providers/ses/sigv4.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <fstream>
#include <iterator>

namespace fanfare::ses {
namespace {

using boost::json::object;

/// One of the vectors, whose file says where each is from.
object vector_named(const char* name) {
    std::ifstream file{FANFARE_SOURCE_DIR "/tests/fixtures/vectors/vectors.json"};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    return boost::json::parse(text).at(name).as_object();
}

std::string at(const object& vector, const char* name) {
    const auto* const value = vector.if_contains(name);
    return value == nullptr ? std::string{} : std::string{value->as_string()};
}

std::string hex(const std::string& bytes) {
    std::string out;
    for (const char c : bytes) {
        constexpr auto digits = "0123456789abcdef";
        out.push_back(digits[static_cast<unsigned char>(c) >> 4U]);
        out.push_back(digits[static_cast<unsigned char>(c) & 15U]);
    }
    return out;
}

AwsCredentials credentials(const std::string& token = "") {
    const auto vector = vector_named("sigv4_ses_send");
    return {at(vector, "access_key"), Secret{at(vector, "secret_key")}, token};
}

TEST(Sigv4, GivesEachStepOfTheWorkedVector) {
    const auto vector = vector_named("sigv4_ses_send");
    const auto host = at(vector, "host");
    const auto path = at(vector, "path");
    const auto date = at(vector, "x_amz_date");
    const auto body = at(vector, "body");
    const RequestToSign request{.host = host,
                                .path = path,
                                .content_type = "application/json",
                                .date = date,
                                .session_token = {},
                                .body = body};
    EXPECT_EQ(amz_date(1'767'225'600), date);
    EXPECT_EQ(sha256_hex(body), at(vector, "body_sha256"));
    EXPECT_EQ(canonical_request(request), at(vector, "canonical_request"));
    EXPECT_EQ(sha256_hex(canonical_request(request)), at(vector, "canonical_request_sha256"));
    EXPECT_EQ(
        string_to_sign(date, "20260101/us-east-1/ses/aws4_request", canonical_request(request)),
        at(vector, "string_to_sign"));
    const auto keys = derive_keys(credentials().secret_access_key, "20260101", "us-east-1", "ses");
    EXPECT_EQ(hex(keys.date), at(vector, "k_date"));
    EXPECT_EQ(hex(keys.region), at(vector, "k_region"));
    EXPECT_EQ(hex(keys.service), at(vector, "k_service"));
    EXPECT_EQ(hex(keys.signing), at(vector, "k_signing"));
    const Signer signer{credentials(), "us-east-1", "ses"};
    EXPECT_EQ(signer.authorization(request), at(vector, "authorization"));
    EXPECT_TRUE(signer.authorization(request).ends_with(at(vector, "signature")));
}

TEST(Sigv4, SignsASessionTokenToo) {
    const auto vector = vector_named("sigv4_ses_send");
    const auto temporary = vector_named("sigv4_ses_send_session_token");
    const auto token = at(temporary, "x_amz_security_token");
    const auto host = at(vector, "host");
    const auto path = at(vector, "path");
    const auto body = at(vector, "body");
    RequestToSign request{.host = host,
                          .path = path,
                          .content_type = "application/json",
                          .date = "20260101T000000Z",
                          .session_token = token,
                          .body = body};
    EXPECT_EQ(sha256_hex(canonical_request(request)), at(temporary, "canonical_request_sha256"));
    request.session_token = {};  // The signer adds its own.
    const Signer signer{credentials(token), "us-east-1", "ses"};
    EXPECT_EQ(signer.authorization(request), at(temporary, "authorization"));
    EXPECT_TRUE(signer.authorization(request).ends_with(at(temporary, "signature")));
}

TEST(Sigv4, SignsTheSuitesPostVanilla) {
    const auto vector = vector_named("sigv4_aws_suite_post_vanilla");
    const auto host = at(vector, "host");
    const auto date = at(vector, "x_amz_date");
    const RequestToSign request{.host = host,
                                .path = "/",
                                .content_type = {},
                                .date = date,
                                .session_token = {},
                                .body = {}};
    EXPECT_EQ(amz_date(1'440'938'160), date);
    EXPECT_EQ(sha256_hex(canonical_request(request)), at(vector, "canonical_request_sha256"));
    const Signer signer{credentials(), at(vector, "region"), at(vector, "service")};
    EXPECT_TRUE(signer.authorization(request).ends_with("Signature=" + at(vector, "signature")));
}

TEST(Sigv4, MakesANewKeyEachDay) {
    const auto at_date = [](const Signer& signer, std::string_view date) {
        return signer.authorization({.host = "h.example.com",
                                     .path = "/",
                                     .content_type = {},
                                     .date = date,
                                     .session_token = {},
                                     .body = {}});
    };
    const Signer used{credentials(), "us-east-1", "ses"};
    const auto first = at_date(used, "20260101T235959Z");
    const auto second = at_date(used, "20260102T000000Z");
    EXPECT_EQ(second, at_date(Signer{credentials(), "us-east-1", "ses"}, "20260102T000000Z"));
    EXPECT_EQ(first, at_date(used, "20260101T235959Z"));
    EXPECT_NE(first, second);
}

}  // namespace
}  // namespace fanfare::ses
