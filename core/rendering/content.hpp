#pragma once

#include "core/domain/vocabulary.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// How a person's value is written into a text.
enum class Escape : std::uint8_t { none, html };

/// A place in a text that takes a value of the person: `variable` is an index into
/// Content::variables.
struct Slot {
    std::uint16_t variable;
    Escape escape;
    bool operator==(const Slot&) const = default;
};

/// Literal text, then (perhaps) a slot.
struct Piece {
    std::string literal;
    std::optional<Slot> slot;
};

/// A text that is finished but for the values of the person: everything shared by the
/// audience (show, creator, minutes left) is already in the literals, escaped as the
/// part demands.
using Text = std::vector<Piece>;

/// What one chunk says to everyone of one locale, rendered once; persons differ only in
/// the slots. Batch providers send the slots as recipient variables, the others write
/// one text per person with write_text().
struct Content {
    Channel channel = Channel::email;
    std::string locale;                       // The template's, after fallback; "" is the default.
    Text subject;                             // E-mail subject, push title; empty for SMS.
    Text text;                                // E-mail plain text, SMS text, push body.
    Text html;                                // E-mail only; may be empty.
    std::vector<std::string> variables;       // Names of the person's variables that are used.
    std::vector<bool> links;                  // Of each, whether a URL begins with it.
    std::map<std::string, std::string> data;  // Push data payload, same for everyone.
    std::string collapse_key;                 // Push; "" for none.
};

/// One recipient of a request: who, where, and the values for Content::variables.
///
/// Values are raw: not escaped, but free of control characters (each became a space).
/// Views must outlive the call they are passed to.
struct Message {
    std::string_view recipient;
    std::string_view address;
    const std::string_view* values = nullptr;  // Content::variables.size() of them.
    std::string_view ref;     // "<position>.<tag>": with SendReference it names the send.
    std::string_view seal{};  // Of its address, for its link (References::write_seals); "": none.
};

/// Appends `text` with the person's values, each escaped as its slot demands.
void write_text(const Text& text, const std::string_view* values, std::string& out);

/// Replaces `out` with the SMS of one person (segments.hpp: fit_sms()).
void write_sms(const Text& text, const std::string_view* values, std::string& out);

/// Whether nothing but going there can come of a link: https:, mailto: or tel:, or no link at all.
[[nodiscard]] bool is_safe_link(std::string_view value) noexcept;
inline constexpr std::string_view safe_links{"a link that begins with https://, mailto: or tel:"};

/// Appends `value` with & < > " ' replaced by entities.
void append_html(std::string_view value, std::string& out);

}  // namespace fanfare
