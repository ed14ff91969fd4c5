#include "core/providers/mailgun/recipient_variables.hpp"

#include "core/error/failure.hpp"
#include "core/providers/bytes.hpp"
#include "core/providers/encoding.hpp"

#include <algorithm>

namespace fanfare::mailgun {
namespace {

constexpr std::uint8_t plain_special =
    bytes::control | bytes::json | bytes::percent | bytes::multibyte;
constexpr std::uint8_t html_special = plain_special | bytes::html;

/// Appends what stands for the special byte at `at`; returns where to go on.
const char* append_special(const char* at, const char* end, Escape escape, std::string& out) {
    const auto flags = bytes::char_flags(*at);
    if ((flags & bytes::multibyte) != 0) return bytes::append_sequence(at, end, out);
    if ((flags & bytes::control) != 0) {
        // No line break: a value may stand in the subject, which is a header.
        out.push_back(' ');
    } else if (*at == '\\') {
        out.append("\\\\");
    } else if (escape == Escape::html) {
        out.append(*at == '%' ? "&#37;" : html_entity(*at));
    } else if (*at == '"') {
        out.append("\\\"");
    } else {
        out.push_back(*at);
        if (*at == '%' && bytes::begins_word(at + 1, end)) out.append(bytes::joiner);
    }
    return at + 1;
}

/// The hot path: a value of one person as the inside of a JSON string.
void append_value(std::string_view value, Escape escape, std::string& out) {
    const std::uint8_t special = escape == Escape::html ? html_special : plain_special;
    const char* at = value.data();
    const char* const end = at + value.size();
    while (at != end) {
        const char* const stop = bytes::find_any(at, end, special);
        out.append(at, stop);
        if (stop == end) return;
        at = append_special(stop, end, escape, out);
    }
}

/// Appends a byte of a literal that is no plain ASCII, and a '%'.
const char* append_literal_special(const char* at, const char* end, Place place, std::string& out) {
    const auto flags = bytes::char_flags(*at);
    if ((flags & bytes::multibyte) != 0) return bytes::append_sequence(at, end, out);
    const bool may_break = place != Place::subject;
    if ((flags & bytes::control) == 0 || (may_break && (*at == '\n' || *at == '\t'))) {
        out.push_back(*at);
    } else if (*at == '\r' && may_break) {
        // Never a CR: then no text can hold the delimiter of two parts, which begins with CR LF.
        const bool is_pair = at + 1 != end && at[1] == '\n';
        if (!is_pair) out.push_back('\n');
    } else {
        out.push_back(' ');
    }
    return at + 1;
}

}  // namespace

void RecipientVariables::append_slot(const Slot& slot, std::string& out) {
    ensure(slot.variable < content_.variables.size(), "a slot names a variable of its content");
    const char prefix = slot.escape == Escape::html ? 'h' : 'v';
    const auto known =
        std::any_of(uses_.begin(), uses_.end(), [&slot](const Use& u) { return u.slot == slot; });
    if (!known) {
        std::string key{",\""};
        key.push_back(prefix);
        append_number(slot.variable, key);
        key.append("\":\"");
        uses_.push_back({slot, std::move(key)});
    }
    out.append("%recipient.");
    out.push_back(prefix);
    append_number(slot.variable, out);
    out.push_back('%');
}

void RecipientVariables::append_text(const Text& text, Place place, std::string& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        append_literal(text[i].literal, place, out, i + 1 == text.size() && !text[i].slot);
        if (text[i].slot) append_slot(*text[i].slot, out);
    }
}

void RecipientVariables::append_literal(std::string_view literal, Place place, std::string& out,
                                        bool is_last) {
    const char* at = literal.data();
    const char* const end = at + literal.size();
    bool is_own_percent = false;  // Or one that closes a slot before this literal.
    while (at != end) {
        // A word behind a slot is none of Mailgun's unless a '%' closes it: "%recipient.v0%s".
        if (out.ends_with('%') && bytes::begins_word(at, end)) {
            const char* stop = at;
            while (stop != end && (bytes::char_flags(*stop) & bytes::word) != 0) ++stop;
            const bool is_closed = stop == end ? !is_last : *stop == '%';
            if (is_own_percent || is_closed) {
                append_word({at, stop}, place, out);
                at = stop;
                continue;
            }
        }
        constexpr std::uint8_t special = bytes::control | bytes::percent | bytes::multibyte;
        const char* const stop = bytes::find_any(at, end, special);
        out.append(at, stop);
        if (stop == end) return;
        is_own_percent = *stop == '%';
        at = append_literal_special(stop, end, place, out);
    }
}

void RecipientVariables::append_word(std::string_view word, Place place, std::string& out) {
    if (place == Place::html) {
        out.append("&#");
        append_number(word.front(), out);
        out.push_back(';');
        out.append(word.substr(1));
        return;
    }
    auto found = std::find(words_.begin(), words_.end(), word);
    if (found == words_.end()) {
        if (words_.size() == words_max || word.size() > word_bytes_max) {
            out.append(bytes::joiner).append(word);
            return;
        }
        found = words_.insert(words_.end(), word);
    }
    out.append("%recipient.w");
    append_number(found - words_.begin(), out);
    out.push_back('%');
}

void RecipientVariables::append_seal(std::string& out) {
    uses_seals_ = true;
    out.append("%recipient.a%");
}

void RecipientVariables::append_table(std::span<const Message> messages, std::string& out) const {
    // The same for everyone, so made once.
    std::string words;
    for (std::size_t i = 0; i < words_.size(); ++i) {
        words.append(",\"w");
        append_number(static_cast<std::int64_t>(i), words);
        words.append("\":\"").append(words_[i]).append("\"");
    }
    words.append("}");

    char separator = '{';
    for (const auto& message : messages) {
        out.push_back(separator);
        separator = ',';
        // A sendable address needs no escape, and the key must equal the `to` part.
        out.push_back('"');
        out.append(message.address);
        out.append("\":{\"id\":\"");
        append_value(message.ref, Escape::none, out);
        out.push_back('"');
        if (uses_seals_) out.append(R"(,"a":")").append(message.seal).push_back('"');
        for (const auto& use : uses_) {
            out.append(use.key);
            append_value(message.values[use.slot.variable], use.slot.escape, out);
            out.push_back('"');
        }
        out.append(words);
    }
    out.push_back('}');
}

}  // namespace fanfare::mailgun
