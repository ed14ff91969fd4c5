#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// True for 8-4-4-4-12 hexadecimal digits in lower case: how jobs are named everywhere.
[[nodiscard]] bool is_uuid(std::string_view text) noexcept;

/// One that somebody wrote, in any case, as we name things by it; nothing where it is none.
[[nodiscard]] std::optional<std::string> parse_uuid(std::string_view text);

}  // namespace fanfare
