#pragma once

#include "core/crypto/digest.hpp"

#include <string_view>

/// What signatures of webhooks need. Total on any bytes.
namespace fanfare::receipts {

/// `key` is the DER of a SubjectPublicKeyInfo, `signature` DER.
[[nodiscard]] bool is_ec_public_key(std::string_view key);
[[nodiscard]] bool verify_ecdsa(std::string_view key, std::string_view bytes,
                                std::string_view signature);

/// `certificate` is PEM; PKCS#1 v1.5.
[[nodiscard]] bool verify_rsa(std::string_view certificate, Digest digest, std::string_view bytes,
                              std::string_view signature);

}  // namespace fanfare::receipts
