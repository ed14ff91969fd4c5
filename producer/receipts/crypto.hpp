#pragma once

#include <optional>
#include <string>
#include <string_view>

/// What signatures of webhooks need. Total on any bytes.
namespace fanfare::receipts {

enum class Digest : unsigned char { md5, sha1, sha256, sha512 };

/// Raw bytes.
[[nodiscard]] std::string digest_of(Digest digest, std::string_view bytes);
[[nodiscard]] std::string hmac_of(Digest digest, std::string_view key, std::string_view bytes);

[[nodiscard]] std::string hex(std::string_view bytes);  // Lower case.
[[nodiscard]] std::string base64(std::string_view bytes);
[[nodiscard]] std::string base64url(std::string_view bytes);  // Without padding.

/// Strict: the one encoding of its bytes, padding and unused bits included.
[[nodiscard]] std::optional<std::string> base64_decoded(std::string_view text);
[[nodiscard]] std::optional<std::string> base64url_decoded(std::string_view text);

/// In a time that depends on the lengths only.
[[nodiscard]] bool same_secret(std::string_view left, std::string_view right) noexcept;

/// `key` is the DER of a SubjectPublicKeyInfo, `signature` DER.
[[nodiscard]] bool is_ec_public_key(std::string_view key);
[[nodiscard]] bool verify_ecdsa(std::string_view key, std::string_view bytes,
                                std::string_view signature);

/// `certificate` is PEM; PKCS#1 v1.5.
[[nodiscard]] bool verify_rsa(std::string_view certificate, Digest digest, std::string_view bytes,
                              std::string_view signature);

}  // namespace fanfare::receipts
