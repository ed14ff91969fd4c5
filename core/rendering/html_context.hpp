#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// Follows an HTML text as a browser's tokenizer does, far enough to tell whether an escaped value
/// may stand here.
///
/// Escaping & < > " ' protects text and quoted attributes, and nothing else: not a bare attribute,
/// not a script, not CSS, not the scheme of a URL. A template that puts a value there is refused
/// when it is loaded, so that no value can ever leave its place.
///
/// Threads   a value; one owner.
class HtmlContext {
public:
    /// Something that no template may have, whether a value stands near or not.
    struct Fault {
        std::size_t offset;  // In the text that was read.
        std::string_view found;
        std::string_view expected;
    };

    /// Goes on with `html`; the first fault in it.
    std::optional<Fault> read(std::string_view html);

    /// "" where an escaped value is safe; otherwise what is wrong with this place.
    [[nodiscard]] std::string_view objection() const noexcept;

    /// A value here is the begin of a URL: it must be a whole link of a harmless scheme.
    [[nodiscard]] bool wants_link() const noexcept;

    /// Whether the same text would mean the same in both places.
    [[nodiscard]] bool same_as(const HtmlContext& other) const noexcept;

private:
    enum class State : std::uint8_t {
        text,
        tag_open,      // After "<" ...
        end_tag_open,  // ... or "</".
        tag_name,
        attributes,  // Between two.
        attribute_name,
        after_name,  // Before "=", or another.
        before_value,
        bare,
        double_quoted,
        single_quoted,
        declaration,  // "<!" or "<?", to the next ">".
        comment,
        raw,        // Of an element whose content is no HTML.
        escapable,  // The same, but entities count: a title.
    };
    /// How much of the URL in an attribute is settled.
    enum class Url : std::uint8_t { begin, scheme, settled, data };

    void step(char c);
    void open_tag(char c);
    void step_tag(char c);
    void step_declaration(char c);
    void step_comment(char c);
    void step_raw(char c);
    void step_value(char c);
    void begin_value(State state);
    void leave_tag();
    void settle_scheme();
    void refuse(std::string_view found, std::string_view expected);
    [[nodiscard]] bool is_quoted() const noexcept;

    State state_ = State::text;
    Url url_ = Url::begin;
    bool closes_ = false;    // The tag is an end tag.
    std::string word_;       // What is read and not over: a scheme, the end of a raw element.
    std::string element_;    // Of the tag being read, or whose raw content is.
    std::string attribute_;  // Of the value being read.
    std::optional<Fault> fault_;
};

}  // namespace fanfare
