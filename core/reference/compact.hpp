#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

inline constexpr std::size_t compact_reference_size = 40;

/// A whole reference "<job>.<chunk>.<position>.<tag>" in exactly 40 characters of A-Z a-z 0-9
/// _ -, for vendors whose custom data is that short: 22 of the job's uuid, 7 of chunk and
/// position, then the tag as it is.
///
/// Nothing for any other text, and for chunks of 4,194,304 or positions of 1,048,576 on.
[[nodiscard]] std::optional<std::string> compact_reference(std::string_view reference);
/// The same behind what is in `out`; false, and nothing is appended, where there is none.
[[nodiscard]] bool append_compact_reference(std::string_view reference, std::string& out);

/// The reference that a compact one stands for; nothing for what compact_reference() does not
/// write. Whether we made it is for References::read() to say.
[[nodiscard]] std::optional<std::string> expand_reference(std::string_view compact);

}  // namespace fanfare
