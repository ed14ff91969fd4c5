#pragma once

#include <array>
#include <string>
#include <string_view>

namespace fanfare {

/// Unicode's ends of a line (NEL, LS, PS), which end a record beside LF and CR.
inline constexpr std::array<std::string_view, 3> unicode_line_ends{"\xC2\x85", "\xE2\x80\xA8",
                                                                   "\xE2\x80\xA9"};

/// Appends one field of CSV (RFC 4180), in quotes where it needs them. What a spreadsheet would run
/// as a formula (it begins with = + - @, TAB, CR or LF) gets an apostrophe before it.
void append_csv(std::string_view field, std::string& out);

/// Takes that apostrophe away; any other field stays as it is.
void drop_guard(std::string& field);

}  // namespace fanfare
