#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fanfare::sim {

/// Access tokens that carry their own end and generation, so that nothing has to remember
/// them. No secret protects them: this is a simulator.
[[nodiscard]] std::string make_access_token(std::int64_t expires_s, std::uint32_t generation);
[[nodiscard]] bool is_good_access_token(std::string_view token, std::int64_t now_s,
                                        std::uint32_t generation);

}  // namespace fanfare::sim
