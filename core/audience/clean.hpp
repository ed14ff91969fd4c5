#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// `text` without what nobody sees: marks of zero width (but for joiners) and of direction go, and
/// so do blanks of any kind (no-break ones too) around it; blanks within become " ".
/// Nothing where `text` is no UTF-8 or has control characters within.
[[nodiscard]] std::optional<std::string> cleaned(std::string_view text);

/// `text` without what nobody sees around it: blanks of any kind, line ends, marks of zero width.
/// What is no UTF-8 is left alone.
[[nodiscard]] std::string_view without_unseen_around(std::string_view text);

/// `text` without the joiners that cleaned() keeps.
[[nodiscard]] std::string without_joiners(std::string_view text);

/// An e-mail address with its domain in A-labels (UTS 46), lower-cased; the local part as it
/// is. Nothing where the domain can be none. Whether it may be sent to is not asked here.
[[nodiscard]] std::optional<std::string> with_ascii_domain(std::string_view address);

/// A number without "tel:", its parameters and the marks people write between digits: "+" and
/// digits (of any script, written as ASCII), or nothing. Without "+" there is nothing, because no
/// country is assumed.
[[nodiscard]] std::optional<std::string> bare_number(std::string_view number);

/// The form in which e-mail addresses are compared and never sent to: ASCII case folded.
[[nodiscard]] std::string folded(std::string_view address);
void append_folded(std::string_view address, std::string& form);

}  // namespace fanfare
