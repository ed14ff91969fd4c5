#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fanfare::sim {

/// Checks the JWT of a token request: RS256 signature (when a key is given), claims, times.
/// Returns "" or what Google's error_description would say.
[[nodiscard]] std::string check_assertion(std::string_view jwt, std::string_view public_key_pem,
                                          std::int64_t now_s);

}  // namespace fanfare::sim
