#pragma once

#include "core/crypto/digest.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// What signatures of webhooks need. Total on any bytes.
namespace fanfare::receipts {

/// `key` is the DER of a SubjectPublicKeyInfo, `signature` DER.
[[nodiscard]] bool is_ec_public_key(std::string_view key);
[[nodiscard]] bool verify_ecdsa(std::string_view key, std::string_view bytes,
                                std::string_view signature);

/// Whether `certificate` (PEM) is in force at that moment and of one of these hosts.
[[nodiscard]] bool is_certificate_for(std::string_view certificate,
                                      std::span<const std::string> hosts, std::int64_t now_unix);

/// `certificate` is PEM; PKCS#1 v1.5.
[[nodiscard]] bool verify_rsa(std::string_view certificate, Digest digest, std::string_view bytes,
                              std::string_view signature);

}  // namespace fanfare::receipts
