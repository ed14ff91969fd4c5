#pragma once

#include <cstdint>
#include <string_view>

namespace fanfare::sim {

/// Checks the value of `authorization`: an ES256 token, not an hour old, its signature only
/// where a public key is given. Returns "" or the reason of the refusal.
[[nodiscard]] std::string_view check_provider_token(std::string_view authorization,
                                                    std::string_view public_key_pem,
                                                    std::int64_t now_s);

}  // namespace fanfare::sim
