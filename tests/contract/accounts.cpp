#include "tests/contract/accounts.hpp"

#include "core/providers/registry.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <stdexcept>

namespace fanfare::testing {
namespace {

std::string column_text(BIO* memory) {
    char* text = nullptr;
    const long length = BIO_get_mem_data(memory, &text);
    std::string out{text, static_cast<std::size_t>(length)};
    BIO_free(memory);
    return out;
}

KeyPair pems_of(EVP_PKEY* key) {
    BIO* const secret = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(secret, key, nullptr, nullptr, 0, nullptr, nullptr);
    BIO* const open = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(open, key);
    EVP_PKEY_free(key);
    return {column_text(secret), column_text(open)};
}

}  // namespace

const Clock& test_clock() {
    static const ManualClock clock{TimePoint{std::chrono::seconds{test_now}}};
    return clock;
}

const KeyPair& generated_key_pair() {
    static const KeyPair pair = pems_of(EVP_RSA_gen(2048));
    return pair;
}

KeyPair fresh_curve_pair() { return pems_of(EVP_EC_gen("P-256")); }

const KeyPair& generated_curve_pair() {
    static const KeyPair pair = fresh_curve_pair();
    return pair;
}

std::string service_account_json() {
    const boost::json::object file{
        {"type", "service_account"},
        {"project_id", "test-project"},
        {"client_email", "fanout@test-project.iam.gserviceaccount.com"},
        {"private_key_id", "test-only-key-1"},
        {"private_key", generated_key_pair().private_pem},
        {"token_uri", "https://oauth2.googleapis.com/token"},
    };
    return boost::json::serialize(file);
}

AccountSettings mailgun_account() {
    AccountSettings account;
    account.name = "mail";
    account.type = "mailgun";
    account.channel = Channel::email;
    account.key = "providers[0]";
    account.options = {{"domain", "mg.example.org"}, {"from", "Shows <shows@mg.example.org>"}};
    account.secrets.emplace("api_key", Secret{"key-0123456789abcdef0123456789abcdef"});
    return account;
}

AccountSettings sendgrid_account() {
    AccountSettings account;
    account.name = "grid";
    account.type = "sendgrid";
    account.channel = Channel::email;
    account.key = "providers[3]";
    account.options = {{"from", "Shows <shows@example.org>"}};
    account.secrets.emplace("api_key", Secret{"SG.0123456789abcdef0123456789abcdef"});
    return account;
}

AccountSettings ses_account() {
    AccountSettings account;
    account.name = "amazon";
    account.type = "ses";
    account.channel = Channel::email;
    account.key = "providers[4]";
    account.options = {{"access_key_id", "AKIDEXAMPLE"},
                       {"region", "us-east-1"},
                       {"from", "Shows <shows@example.org>"},
                       {"configuration_set", "fanfare"}};
    account.secrets.emplace("secret_access_key",
                            Secret{"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"});
    return account;
}

AccountSettings smtp_account() {
    AccountSettings account;
    account.name = "post";
    account.type = "smtp";
    account.channel = Channel::email;
    account.key = "providers[4]";
    account.options = {{"host", "mail.example.org"},
                       {"from", "Shows <shows@example.org>"},
                       {"username", "fanfare"}};
    account.secrets.emplace("password", Secret{"0123456789abcdef"});
    return account;
}

AccountSettings twilio_account() {
    AccountSettings account;
    account.name = "text";
    account.type = "twilio";
    account.channel = Channel::sms;
    account.key = "providers[1]";
    account.options = {{"account_sid", "AC00000000000000000000000000000001"},
                       {"from", "+15005550006"}};
    account.secrets.emplace("auth_token", Secret{"0123456789abcdef0123456789abcdef"});
    return account;
}

AccountSettings fcm_account() {
    AccountSettings account;
    account.name = "push";
    account.type = "fcm";
    account.channel = Channel::push;
    account.key = "providers[2]";
    account.secrets.emplace("service_account", Secret{service_account_json()});
    return account;
}

AccountSettings vonage_account() {
    AccountSettings account;
    account.name = "nexmo";
    account.type = "vonage";
    account.channel = Channel::sms;
    account.key = "providers[5]";
    account.options = {{"api_key", "abcd1234"}, {"from", "AcmeInc"}};
    account.secrets.emplace("api_secret", Secret{"vonage-secret-01"});
    return account;
}

AccountSettings vonage_messages_account() {
    auto account = vonage_account();
    account.options["api"] = "messages";
    account.options["application_id"] = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab";
    account.secrets.clear();
    account.secrets.emplace("private_key", Secret{generated_key_pair().private_pem});
    return account;
}

AccountSettings apns_account() {
    AccountSettings account;
    account.name = "apple";
    account.type = "apns";
    account.channel = Channel::push;
    account.key = "providers[6]";
    account.options = {
        {"key_id", "ABC123DEFG"}, {"team_id", "TEAM123456"}, {"topic", "org.example.shows"}};
    account.secrets.emplace("private_key", Secret{generated_curve_pair().private_pem});
    return account;
}

std::unique_ptr<Provider> open(const AccountSettings& account) {
    auto made = make_provider(
        account, {.callback_url = "https://hooks.example.com", .clock = &test_clock()});
    if (const auto* const problems = std::get_if<Problems>(&made)) {
        std::string all;
        for (const auto& problem : *problems) all += problem.key + ": " + problem.expected + "\n";
        throw std::runtime_error{all};
    }
    return std::move(std::get<std::unique_ptr<Provider>>(made));
}

}  // namespace fanfare::testing
