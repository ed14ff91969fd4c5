#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::kafka {

/// How far the dead letters were read: of each partition, the offset of the next one. As text:
/// "0:12.3:7".
using DeadPlace = std::map<std::int32_t, std::int64_t>;
[[nodiscard]] std::string to_text(const DeadPlace& place);
[[nodiscard]] std::optional<DeadPlace> parse_dead_place(std::string_view text);

}  // namespace fanfare::kafka
