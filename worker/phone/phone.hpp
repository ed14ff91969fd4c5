#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// "+" and digits (E.164) of an international number that is possible: its country code is
/// one, and the country has numbers of that length. Blanks, dashes, dots and parentheses are
/// tolerated; without "+" there is nothing, because no country is assumed.
///
/// Possible, not valid: which ranges are in use is a matter of tables that age, and the
/// provider knows better.
///
/// Bounds    64 bytes; more is nothing.
/// Threads   any.
[[nodiscard]] std::optional<std::string> e164(std::string_view number);

}  // namespace fanfare
