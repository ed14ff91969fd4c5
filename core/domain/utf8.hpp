#pragma once

#include <string_view>

namespace fanfare {

/// Whether all of it is UTF-8, as PostgreSQL and Kafka's readers want it.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace fanfare
