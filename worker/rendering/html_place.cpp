#include "worker/rendering/html_place.hpp"

#include <utility>

namespace fanfare {
namespace {

// Longest word that matters is "</script"; more than this is only remembered as "long".
constexpr std::size_t recent_bytes_max = 16;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

bool begins_tag(char c) noexcept {
    return (lower(c) >= 'a' && lower(c) <= 'z') || c == '/' || c == '!' || c == '?';
}

void remember(std::string& word, char c) {
    if (word.size() < recent_bytes_max) word.push_back(lower(c));
}

}  // namespace

void HtmlPlace::read(std::string_view html) {
    for (const char c : html) step(c);
}

void HtmlPlace::step(char c) {
    switch (state_) {
        case State::text:
            if (c == '<') {
                state_ = State::tag;
                recent_.clear();
                element_.clear();
                attribute_.clear();
                value_next_ = false;
            }
            return;
        case State::tag:
            step_tag(c);
            return;
        case State::double_quoted:
            if (c == '"') state_ = State::tag;
            return;
        case State::single_quoted:
            if (c == '\'') state_ = State::tag;
            return;
        case State::comment:
            // "<!--[if mso]>" only hides its content from some readers: text goes on after it.
            if (c == '>' && (recent_.empty() || recent_ == "-" || recent_.ends_with("--") ||
                             (recent_[0] == '[' && recent_.ends_with(']')))) {
                state_ = State::text;
                return;
            }
            if (recent_.size() == recent_bytes_max) recent_.erase(1, 1);
            remember(recent_, c);
            return;
        case State::raw:
            if (c == '<') recent_.clear();
            remember(recent_, c);
            if (recent_ == "</" + element_) {
                state_ = State::tag;
                element_ = '/' + element_;
                recent_.clear();
            }
            return;
    }
}

void HtmlPlace::step_tag(char c) {
    const auto is_first = element_.empty() && recent_.empty();
    const auto begins_value = std::exchange(value_next_, false);
    if (c == '>') {
        leave_tag();
    } else if (is_first && !begins_tag(c)) {
        state_ = c == '<' ? State::tag : State::text;  // "a < b" is text.
    } else if ((c == '"' || c == '\'') && begins_value) {
        state_ = c == '"' ? State::double_quoted : State::single_quoted;
    } else if (is_space(c) || c == '=' || (c == '/' && !is_first)) {
        if (element_.empty()) {
            element_ = recent_;
        } else if (!recent_.empty()) {
            attribute_ = recent_;
        }
        recent_.clear();
        value_next_ = c == '=' || (is_space(c) && begins_value);
    } else {
        remember(recent_, c);
        if (element_.empty() && recent_ == "!--") {
            state_ = State::comment;
            recent_.clear();
        }
    }
}

void HtmlPlace::leave_tag() {
    if (element_.empty()) element_ = recent_;
    recent_.clear();
    attribute_.clear();
    state_ = element_ == "script" || element_ == "style" ? State::raw : State::text;
    if (state_ == State::text) element_.clear();
}

bool HtmlPlace::same_as(const HtmlPlace& other) const noexcept {
    const auto quoted = state_ == State::double_quoted || state_ == State::single_quoted;
    return state_ == other.state_ && element_ == other.element_ &&
           (!quoted || attribute_ == other.attribute_);
}

std::string_view HtmlPlace::objection() const noexcept {
    switch (state_) {
        case State::text:
            return "";
        case State::tag:
            return "inside a tag it must stand in a quoted attribute";
        case State::comment:
            return "it must not stand in a comment";
        case State::raw:
            return "it must not stand in a script or style element";
        case State::double_quoted:
        case State::single_quoted:
            if (attribute_ == "style" || attribute_.starts_with("on") || attribute_ == "srcdoc") {
                return "it must not stand in a style, srcdoc or event attribute";
            }
            return "";
    }
    return "";
}

}  // namespace fanfare
