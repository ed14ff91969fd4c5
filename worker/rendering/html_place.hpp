#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fanfare {

/// Follows an HTML text far enough to tell whether an escaped value may stand here.
///
/// Escaping & < > " ' protects text and quoted attributes, and nothing else: not a bare
/// attribute, not a script, not CSS. A template that puts a value there is refused when
/// it is loaded, so that no value can ever leave its place.
///
/// Threads   a value; one owner.
class HtmlPlace {
public:
    void read(std::string_view html);

    /// "" where an escaped value is safe; otherwise what is wrong with this place.
    [[nodiscard]] std::string_view objection() const noexcept;

    /// Whether the same text would mean the same in both places.
    [[nodiscard]] bool same_as(const HtmlPlace& other) const noexcept;

private:
    enum class State : std::uint8_t { text, tag, double_quoted, single_quoted, comment, raw };

    void step(char c);
    void step_tag(char c);
    void leave_tag();

    State state_ = State::text;
    std::string recent_;       // Since the last "<" or, in a tag, the word being read; bounded.
    std::string element_;      // Of the tag being read, or the raw element being skipped.
    std::string attribute_;    // The last attribute name of the tag being read.
    bool value_next_ = false;  // After "=": only here does a quote begin a quoted value.
};

}  // namespace fanfare
