#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// E.164 of a number that is possible: its country code is one, and the country has numbers of
/// that length. `digits`: "+" and ASCII digits, as bare_number() writes them. A trunk zero goes; a
/// number with two is none.
///
/// Possible, not valid: which ranges are in use is a matter of tables that age, and the
/// provider knows better.
///
/// Bounds    64 bytes; more is nothing.
/// Threads   any.
[[nodiscard]] std::optional<std::string> e164(std::string_view digits);

}  // namespace fanfare
