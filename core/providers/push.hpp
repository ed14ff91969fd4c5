#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// What the vendors of push have in common.
namespace fanfare {

inline constexpr std::size_t push_bytes_max = 4'096;  // Of a message, by FCM's and APNs' rules.

/// The key as it is, or its hash where a header of 64 bytes cannot hold it: two keys never become
/// one, so two shows never replace each other. What is returned lives in one of both.
[[nodiscard]] std::string_view collapse_id(std::string_view key, std::string& digest);

}  // namespace fanfare
