#pragma once

#include "core/rendering/content.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fanfare::sendgrid {

/// Where a text goes: a subject is one line.
enum class Place : std::uint8_t { subject, body };

/// Writes texts with tags in the place of slots, and for each person the `substitutions`
/// that SendGrid puts there.
///
/// A tag is "-<mark>v<index>-", or "h<index>" where it is escaped for HTML. SendGrid replaces
/// any string that is equal to a tag, wherever it stands, so nothing that creators or
/// followers type may hold one: the mark is unknown to anyone who lacks the account's key,
/// and where a text holds it nevertheless, U+2060 (which has no width) breaks it.
///
/// Bounds    values_bytes_max for one person's object: where it would be longer, each value
///           is cut to its share. SendGrid takes 150 tags; a call with more is refused.
/// Threads   one call, one thread.
/// Lifetime  `content` and `mark` outlive the object.
class Substitutions {
public:
    static constexpr std::size_t values_bytes_max = 10'000;

    /// `mark`: ASCII letters and digits.
    Substitutions(const Content& content, std::string_view mark) : content_{content}, mark_{mark} {}

    /// Appends a text as the inside of a JSON string.
    void append_text(const Text& text, Place place, std::string& out);

    /// Appends the object of one person, for all tags that were used so far.
    void append_values(const Message& message, std::string& out) const;

private:
    struct Use {
        Slot slot;
        std::string key;  // As in the object: "-<mark>v0-":"
    };

    void append_slot(const Slot& slot, std::string& out);
    void append_value(std::string_view value, Escape escape, std::string& out) const;
    void append_shares(const Message& message, std::string& out) const;

    const Content& content_;
    std::string_view mark_;
    std::vector<Use> uses_;
};

}  // namespace fanfare::sendgrid
