#pragma once

#include <string_view>

namespace fanfare {

/// True for 8-4-4-4-12 hexadecimal digits in lower case: how jobs are named everywhere.
[[nodiscard]] bool is_uuid(std::string_view text) noexcept;

}  // namespace fanfare
