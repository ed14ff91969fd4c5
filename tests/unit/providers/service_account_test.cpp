#include "core/providers/fcm/service_account.hpp"

#include "tests/contract/accounts.hpp"
#include "tests/contract/wire_reader.hpp"
#include "tests/unit/providers/jwt.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace fanfare::fcm {
namespace {

using testing::test_now;

PrivateKey public_key(const std::string& pem) {
    BIO* const memory = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    PrivateKey key{PEM_read_bio_PUBKEY(memory, nullptr, nullptr, nullptr)};
    BIO_free(memory);
    return key;
}

std::string decode_base64url(std::string text) {
    for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
    const auto length = text.size() * 3 / 4;
    while (text.size() % 4 != 0) text.push_back('=');
    std::string out(text.size(), '\0');
    EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                    reinterpret_cast<const unsigned char*>(text.data()),
                    static_cast<int>(text.size()));
    out.resize(length);
    return out;
}

bool is_signed_by(const std::string& jwt, EVP_PKEY* key) {
    const auto dot = jwt.rfind('.');
    const auto signature = decode_base64url(jwt.substr(dot + 1));
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    const bool good =
        EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key) == 1 &&
        EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()),
                         signature.size(), reinterpret_cast<const unsigned char*>(jwt.data()),
                         dot) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

TEST(ServiceAccount, SignsTheInputOfTheVector) {
    // The claims of the vector are those of the test account; only the key is another.
    const auto account = parse_service_account(testing::service_account_json());
    ASSERT_TRUE(account.has_value());
    const std::string input =
        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InRlc3Qtb25seS1rZXktMSJ9."
        "eyJpc3MiOiJmYW5vdXRAdGVzdC1wcm9qZWN0LmlhbS5nc2VydmljZWFjY291bnQuY29tIiwic2NvcGUiOiJodHRw"
        "czovL3d3dy5nb29nbGVhcGlzLmNvbS9hdXRoL2ZpcmViYXNlLm1lc3NhZ2luZyIsImF1ZCI6Imh0dHBzOi8vb2F1"
        "dGgyLmdvb2dsZWFwaXMuY29tL3Rva2VuIiwiaWF0IjoxNzY3MjI1NjAwLCJleHAiOjE3NjcyMjkyMDB9";
    EXPECT_EQ(assertion_input(*account, test_now), input);
    const auto jwt = sign_assertion(*account, test_now);
    EXPECT_EQ(jwt.substr(0, input.size() + 1), input + ".");
    const auto& pair = testing::generated_key_pair();
    EXPECT_TRUE(is_signed_by(jwt, public_key(pair.public_pem).get()));
    auto forged = jwt;
    forged[10] = forged[10] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(is_signed_by(forged, public_key(pair.public_pem).get()));
}

TEST(ServiceAccount, AgreesWithTheVectorsSignature) {
    // A public key, and a token that its owner once signed.
    const auto pem = testing::vector_file("test-only-rsa2048.pub.pem");
    const auto account = parse_service_account(testing::service_account_json());
    const std::string jwt{testing::vectors().at("fcm_service_account_jwt").at("jwt").as_string()};
    EXPECT_TRUE(is_signed_by(jwt, public_key(pem).get()));
    EXPECT_EQ(jwt.substr(0, jwt.rfind('.')), assertion_input(*account, test_now));
    EXPECT_FALSE(is_signed_by(sign_assertion(*account, test_now), public_key(pem).get()));
}

TEST(ServiceAccount, MakesTheTokenRequest) {
    auto settings = testing::fcm_account();
    const auto exchange = testing::open(settings)->credential_exchange(test_now);
    ASSERT_TRUE(exchange.has_value());
    EXPECT_EQ(exchange->request.url, "https://oauth2.googleapis.com/token");
    const auto fields = testing::read_form(exchange->request.body);
    ASSERT_EQ(fields.size(), 2U);
    EXPECT_EQ(fields[0].second, "urn:ietf:params:oauth:grant-type:jwt-bearer");
    EXPECT_TRUE(
        is_signed_by(fields[1].second, public_key(testing::generated_key_pair().public_pem).get()));

    settings.options["token_uri"] = "https://login.example.org/token";
    const auto moved = testing::open(settings)->credential_exchange(test_now);
    EXPECT_EQ(moved->request.url, "https://login.example.org/token");
    EXPECT_EQ(moved->request.body, exchange->request.body) << "the audience stays the account's";
}

TEST(ServiceAccount, RefusesWhatIsNoKeyFile) {
    auto good = boost::json::parse(testing::service_account_json()).as_object();
    const auto without = [&good](const char* key) {
        auto copy = good;
        copy.erase(key);
        return boost::json::serialize(copy);
    };
    EXPECT_FALSE(parse_service_account(""));
    EXPECT_FALSE(parse_service_account("[]"));
    EXPECT_FALSE(parse_service_account(without("client_email")));
    EXPECT_FALSE(parse_service_account(without("private_key")));
    EXPECT_TRUE(parse_service_account(without("token_uri")));
    EXPECT_TRUE(parse_service_account(without("private_key_id")));
    good["private_key"] = "-----BEGIN PRIVATE KEY-----\nrubbish\n-----END PRIVATE KEY-----\n";
    EXPECT_FALSE(parse_service_account(boost::json::serialize(good)));
}

TEST(ServiceAccount, RefusesAKeyThatIsNotRsa) {
    EVP_PKEY* const curve = EVP_EC_gen("P-256");
    BIO* const memory = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(memory, curve, nullptr, nullptr, 0, nullptr, nullptr);
    char* pem = nullptr;
    const long length = BIO_get_mem_data(memory, &pem);
    auto account = boost::json::parse(testing::service_account_json()).as_object();
    account["private_key"] = std::string{pem, static_cast<std::size_t>(length)};
    BIO_free(memory);
    EVP_PKEY_free(curve);
    EXPECT_FALSE(parse_service_account(boost::json::serialize(account)));
}

}  // namespace
}  // namespace fanfare::fcm
