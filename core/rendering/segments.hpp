#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fanfare {

/// How an SMS text is cut and billed.
struct Segments {
    std::size_t count = 0;  // 0 only for an empty text.
    bool unicode = false;   // One character outside of GSM-7 makes the whole text UCS-2.
    std::size_t units = 0;  // Septets (an extended character is two) or UTF-16 units.
    bool operator==(const Segments&) const = default;
};

/// Counts segments as carriers do (3GPP TS 23.038, 23.040): 160 septets or 70 units in one
/// message, 153 or 67 in each of several, and no character cut in two. What is not UTF-8
/// counts as U+FFFD.
[[nodiscard]] Segments count_segments(std::string_view utf8);

/// `text` without the accents of letters that GSM-7 lacks, where it has the bare letter ("août"
/// becomes "aout", "été" stays). For what we write ourselves, never for what people wrote.
[[nodiscard]] std::string without_foreign_accents(std::string_view text);

/// Makes of `text` the SMS that is sent: where nothing but typography (curly quotes, dashes, an
/// ellipsis, odd blanks, invisible marks) keeps it out of GSM-7, these take their plain forms;
/// otherwise it stays as it is. write_sms() does it to a person's text.
void fit_sms(std::string& text);

}  // namespace fanfare
