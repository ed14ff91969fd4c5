#include "core/rendering/html_context.hpp"

#include <algorithm>
#include <array>

namespace fanfare {
namespace {

// Longest name that matters; of a longer one the begin is remembered, and equals none of them.
constexpr std::size_t word_bytes_max = 24;

using Names = std::string_view;

// Their content is no HTML: escaping means nothing there. (A title's is text with entities.)
constexpr std::array<Names, 8> raw_elements{"script", "style",   "textarea", "xmp",
                                            "iframe", "noembed", "noframes", "plaintext"};
// What they hold is parsed one way here and another there.
constexpr std::array<Names, 3> refused_elements{"noscript", "svg", "math"};
// Whatever stands in their tags, the page does.
constexpr std::array<Names, 10> active_elements{"script", "object", "embed",  "applet", "base",
                                                "link",   "meta",   "iframe", "frame",  "param"};
constexpr std::array<Names, 5> refused_attributes{"style", "srcdoc", "srcset", "imagesrcset",
                                                  "ping"};
constexpr std::array<Names, 17> url_attributes{
    "href",   "src",      "action",  "formaction", "xlink:href", "background",
    "poster", "cite",     "data",    "longdesc",   "usemap",     "codebase",
    "icon",   "manifest", "profile", "lowsrc",     "dynsrc"};
constexpr std::array<Names, 6> script_schemes{"javascript", "vbscript", "livescript",
                                              "mocha",      "jar",      "view-source"};

bool contains(const auto& list, std::string_view word) {
    return std::ranges::find(list, word) != list.end();
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_letter(char c) noexcept { return lower(c) >= 'a' && lower(c) <= 'z'; }

bool is_space(char c) noexcept {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

void remember(std::string& word, char c) {
    if (word.size() < word_bytes_max) word.push_back(lower(c));
}

}  // namespace

std::optional<HtmlContext::Fault> HtmlContext::read(std::string_view html) {
    std::optional<Fault> first;
    for (std::size_t i = 0; i < html.size(); ++i) {
        fault_.reset();
        step(html[i]);
        if (fault_ && !first) {
            first = fault_;
            first->offset = i;
        }
    }
    fault_.reset();
    return first;
}

void HtmlContext::refuse(std::string_view found, std::string_view expected) {
    fault_ = {0, found, expected};
}

bool HtmlContext::is_quoted() const noexcept {
    return state_ == State::double_quoted || state_ == State::single_quoted;
}

void HtmlContext::step(char c) {
    switch (state_) {
        case State::text:
            if (c == '<') state_ = State::tag_open;
            return;
        case State::tag_open:
        case State::end_tag_open:
            open_tag(c);
            return;
        case State::tag_name:
        case State::attributes:
        case State::attribute_name:
        case State::after_name:
        case State::before_value:
            step_tag(c);
            return;
        case State::bare:
            if (c == '>') {
                leave_tag();
            } else if (is_space(c)) {
                state_ = State::attributes;
            } else {
                step_value(c);
            }
            return;
        case State::double_quoted:
        case State::single_quoted:
            if (c == (state_ == State::double_quoted ? '"' : '\'')) {
                state_ = State::attributes;
            } else {
                step_value(c);
            }
            return;
        case State::declaration:
            step_declaration(c);
            return;
        case State::comment:
            step_comment(c);
            return;
        case State::raw:
        case State::escapable:
            step_raw(c);
            return;
    }
}

/// After "<" and "</".
void HtmlContext::open_tag(char c) {
    const bool opens = state_ == State::tag_open;
    closes_ = !opens;
    element_.clear();
    word_.clear();
    if (is_letter(c)) {
        state_ = State::tag_name;
        remember(element_, c);
    } else if (opens && c == '/') {
        state_ = State::end_tag_open;
    } else if (opens ? c == '!' || c == '?' : c != '>') {
        state_ = State::declaration;
        remember(word_, c);
    } else {
        state_ = c == '<' ? State::tag_open : State::text;  // "a < b" is text.
    }
}

/// Inside a tag, outside of any value.
void HtmlContext::step_tag(char c) {
    const bool in_name = state_ == State::attribute_name;
    if (c == '>') {
        leave_tag();
    } else if (state_ == State::before_value) {
        if (c == '"' || c == '\'') {
            begin_value(c == '"' ? State::double_quoted : State::single_quoted);
        } else if (!is_space(c)) {
            begin_value(State::bare);
            step_value(c);
        }
    } else if (is_space(c)) {
        if (in_name) state_ = State::after_name;
        if (state_ == State::tag_name) state_ = State::attributes;
    } else if (c == '/') {
        state_ = State::attributes;
    } else if (state_ == State::tag_name) {
        remember(element_, c);
    } else if (c == '=' && (in_name || state_ == State::after_name)) {
        state_ = State::before_value;
    } else {
        if (!in_name) attribute_.clear();
        state_ = State::attribute_name;
        remember(attribute_, c);
    }
}

void HtmlContext::step_declaration(char c) {
    if (c == '>') {
        state_ = State::text;
        return;
    }
    remember(word_, c);
    if (word_ == "!--") {
        state_ = State::comment;
        word_.clear();
    }
}

void HtmlContext::step_comment(char c) {
    // "<!--[if mso]>" only hides its content from some readers: text goes on after it.
    if (c == '>' && (word_.empty() || word_ == "-" || word_.ends_with("--") ||
                     word_.ends_with("--!") || (word_[0] == '[' && word_.ends_with(']')))) {
        state_ = State::text;
        return;
    }
    if (word_.size() == word_bytes_max) word_.erase(1, 1);
    remember(word_, c);
}

void HtmlContext::step_raw(char c) {
    const bool ends_name = is_space(c) || c == '/' || c == '>';
    if (ends_name && element_ != "plaintext" && word_ == "</" + element_) {
        closes_ = true;
        state_ = State::attributes;
        if (c == '>') leave_tag();
        return;
    }
    if (c == '<') word_.clear();
    remember(word_, c);
}

void HtmlContext::begin_value(State state) {
    state_ = state;
    url_ = contains(url_attributes, attribute_) ? Url::begin : Url::settled;
    word_.clear();
}

/// Browsers pass over blanks and line ends in a scheme, and read entities: so nobody may hide one.
void HtmlContext::step_value(char c) {
    if (url_ == Url::settled || url_ == Url::data || static_cast<unsigned char>(c) <= ' ') return;
    if (c == '&') {
        refuse("an entity in the scheme of a URL", "a URL that begins plainly, with https://");
        url_ = Url::settled;
    } else if (c == '/' || c == '?' || c == '#') {
        url_ = Url::settled;
    } else if (c == ':') {
        settle_scheme();
    } else {
        url_ = Url::scheme;
        remember(word_, c);
    }
}

void HtmlContext::settle_scheme() {
    constexpr std::string_view expected{"a URL that begins with https://, mailto: or tel:"};
    url_ = Url::settled;
    if (word_ == "data") {
        url_ = Url::data;
        if (element_ != "img" || attribute_ != "src") refuse("a data: URL", expected);
    } else if (contains(script_schemes, word_)) {
        refuse("a URL that is a script", expected);
    }
}

void HtmlContext::leave_tag() {
    word_.clear();
    attribute_.clear();
    state_ = State::text;
    if (closes_) {
        element_.clear();
    } else if (contains(raw_elements, element_)) {
        state_ = State::raw;
    } else if (element_ == "title") {
        state_ = State::escapable;
    } else {
        if (contains(refused_elements, element_)) {
            refuse("a noscript, svg or math element",
                   "none: not every reader takes its content for the same");
        }
        element_.clear();
    }
}

bool HtmlContext::same_as(const HtmlContext& other) const noexcept {
    const bool same_value = attribute_ == other.attribute_ && url_ == other.url_;
    return state_ == other.state_ && element_ == other.element_ && (!is_quoted() || same_value);
}

bool HtmlContext::wants_link() const noexcept { return is_quoted() && url_ == Url::begin; }

std::string_view HtmlContext::objection() const noexcept {
    if (state_ == State::text || state_ == State::escapable) return "";
    if (state_ == State::comment) return "it must not stand in a comment";
    if (state_ == State::raw) {
        return "it must not stand in an element whose content is no HTML (script, style, ...)";
    }
    if (!is_quoted()) return "inside a tag it must stand in a quoted attribute";
    if (contains(active_elements, element_)) {
        return "it must not stand in a tag that loads or rules something (script, meta, ...)";
    }
    if (contains(refused_attributes, attribute_) || attribute_.starts_with("on")) {
        return "it must not stand in a style, srcdoc, srcset or event attribute";
    }
    if (url_ == Url::scheme) {
        return "it must not be part of a URL's scheme: write https:// before it, or nothing";
    }
    if (url_ == Url::data) return "it must not stand in a data: URL";
    return "";
}

}  // namespace fanfare
