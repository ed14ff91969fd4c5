#pragma once

#include "sim/http/message.hpp"
#include "sim/webhooks/keys.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::sim {

// Digests are named as OpenSSL does: "md5", "sha1", "sha256", "sha512". Errors of OpenSSL throw
// std::runtime_error: they cannot be.

[[nodiscard]] std::string digest(std::string_view name, std::string_view text);
[[nodiscard]] std::string hmac(std::string_view digest_name, std::string_view key,
                               std::string_view text);
/// Signature by a key pair: DER for ECDSA, PKCS #1 v1.5 for RSA.
[[nodiscard]] std::string sign(const KeyPair& key, std::string_view digest_name,
                               std::string_view text);
[[nodiscard]] std::string hex(std::string_view bytes);
[[nodiscard]] std::string base64url(std::string_view bytes);  // Without padding.
/// For a form: all but letters, digits and "-_." as %XX.
[[nodiscard]] std::string percent_encoded(std::string_view text);
/// "a=1&b=2" of fields, encoded, in their order.
[[nodiscard]] std::string encode_form(std::span<const Field> fields);

/// X-Twilio-Signature of a form posted to `url`, which has no fragment.
[[nodiscard]] std::string twilio_signature(std::string_view token, std::string_view url,
                                           std::vector<Field> fields);
/// `sig` of Vonage's SMS API over all fields but itself.
[[nodiscard]] std::string vonage_signature(std::string_view method, std::string_view secret,
                                           std::vector<Field> fields);
/// A JSON web token of serialised claims, HS256.
[[nodiscard]] std::string hs256_token(std::string_view secret, std::string_view claims);
/// What SNS signs: the fields it covers, in its order, "name\nvalue\n" each.
[[nodiscard]] std::string sns_string_to_sign(std::span<const Field> fields);

/// "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", the same for the same two numbers.
[[nodiscard]] std::string to_uuid(std::uint64_t a, std::uint64_t b);
/// 2 * bytes hexadecimal digits, the same for the same two numbers.
[[nodiscard]] std::string to_hex(std::uint64_t a, std::uint64_t b, std::size_t digits);
/// "2026-01-01T00:00:00.000Z"
[[nodiscard]] std::string iso_time(std::int64_t unix_ms);

}  // namespace fanfare::sim
