#pragma once

#include "core/providers/private_key.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace fanfare::apns {

inline constexpr std::size_t es256_signature_size = 64;

/// The P-256 key of a .p8 file; null for anything else.
[[nodiscard]] PrivateKey parse_es256_key(std::string_view pem);

/// r and s of a DER signature as two big-endian numbers of 32 bytes, which is what a JWT
/// holds. Nothing where `der` is none of P-256.
[[nodiscard]] std::optional<std::string> raw_signature(std::string_view der);

/// `input` "." base64url(signature); `input` is base64url(header) "." base64url(claims).
[[nodiscard]] std::string sign_es256(EVP_PKEY& key, std::string_view input);

}  // namespace fanfare::apns
