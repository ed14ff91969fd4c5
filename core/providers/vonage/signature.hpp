#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace fanfare::vonage {

/// How an account signs its SMS requests, as set in its dashboard.
enum class SignatureMethod : std::uint8_t { md5hash, md5, sha1, sha256, sha512 };

[[nodiscard]] std::optional<SignatureMethod> parse_signature_method(std::string_view word) noexcept;

using Parameter = std::pair<std::string_view, std::string_view>;

/// The value of `sig` for these parameters, sorted by name and without `sig`: lower-case hex.
/// Values are raw, not encoded.
///
/// Threads   pure.
[[nodiscard]] std::string sign_parameters(std::span<const Parameter> parameters,
                                          std::string_view secret, SignatureMethod method);

}  // namespace fanfare::vonage
