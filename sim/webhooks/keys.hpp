#pragma once

#include <cstdint>
#include <memory>
#include <string>

typedef struct evp_pkey_st EVP_PKEY;

namespace fanfare::sim {

using KeyPair = std::shared_ptr<EVP_PKEY>;

/// What webhooks are signed with. The defaults are fixed and protect nothing.
struct Keys {
    std::string mailgun_signing_key = "webhook-key-0123456789abcdef01234567";
    std::string twilio_sid = "AC00000000000000000000000000000001";
    std::string twilio_token = "0123456789abcdef0123456789abcdef";
    std::string vonage_secret = "0123456789abcdef0123456789abcdef0123";
    std::string vonage_method = "sha256";  // md5hash md5 sha1 sha256 sha512
    std::string vonage_api_key = "abcd1234";
    std::string vonage_application = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab";
    std::string sns_topic = "arn:aws:sns:us-east-1:123456789012:ses-events";
    int sns_version = 1;  // SignatureVersion: 1 is SHA-1, 2 is SHA-256.
    std::string sns_url;  // "https://localhost:<port>/sns": certificate and SubscribeURL.
    KeyPair sendgrid;     // EC P-256
    KeyPair sns;          // RSA 2048
    std::string sns_certificate_pem;  // Of `sns`.
};

/// New key pairs for SendGrid and SNS. Takes a tenth of a second. Throws std::runtime_error.
void make_key_pairs(Keys& keys);

/// Base64 of the DER SubjectPublicKeyInfo, as SendGrid's settings page shows it.
[[nodiscard]] std::string sendgrid_public_key(const Keys& keys);

}  // namespace fanfare::sim
