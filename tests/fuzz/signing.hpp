#pragma once

#include "core/crypto/digest.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// The keys of the simulator, made once in a process, and what is signed with them.
namespace fanfare::fuzzing {

/// The moment of all deliveries: 2026-01-01T00:00:00Z.
inline constexpr std::int64_t delivery_time = 1'767'225'600;

/// Base64 of the DER of a SubjectPublicKeyInfo, on P-256.
[[nodiscard]] const std::string& curve_public_key();
/// ECDSA of SHA-256, DER.
[[nodiscard]] std::string sign_on_curve(std::string_view bytes);

/// PEM, made out to sns.amazonaws.com and in force.
[[nodiscard]] const std::string& sns_certificate();
/// RSA with that certificate's key.
[[nodiscard]] std::string sign_as_sns(Digest digest, std::string_view bytes);

}  // namespace fanfare::fuzzing
