#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fanfare {

/// What a part of a message is: one line (subject, title), plain text, or HTML.
enum class PartForm : std::uint8_t { line, text, html };

/// Appends a value of a job as a part of this form may hold it: valid UTF-8 (what is not
/// becomes U+FFFD), escaped in HTML, and without control characters. In one line each of
/// them becomes a space, so that no value can begin a header of its own; elsewhere they
/// are dropped, but a tab becomes a space and whatever separates lines (CR, CRLF, NEL, VT, FF, LS,
/// PS) a newline. Marks that nobody sees (a BOM, zero-width blanks) and those that turn the text
/// around them (bidi embeddings, overrides, isolates) are dropped everywhere. Left are those that
/// change what is seen: joiners, variation selectors, the tags of a flag; and marks of direction
/// beside letters that run from right to left.
void append_clean(std::string_view value, PartForm form, std::string& out);

/// True for what append_clean() would leave as it is in one line.
[[nodiscard]] bool is_clean_line(std::string_view value);

/// True when append_clean() would leave nothing of it.
[[nodiscard]] bool is_nothing(std::string_view value);

/// Where the first byte that is not UTF-8 stands; npos where there is none.
[[nodiscard]] std::size_t find_invalid_utf8(std::string_view text) noexcept;

}  // namespace fanfare
