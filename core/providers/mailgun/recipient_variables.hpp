#pragma once

#include "core/rendering/content.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::mailgun {

/// Where a text goes; decides how it is kept from being read as more than text.
enum class Place : std::uint8_t { subject, text, html };

/// Writes the parts of a call that Mailgun completes for each recipient, and the table
/// `recipient-variables` it completes them from.
///
/// Mailgun replaces %recipient.key% by the recipient's value, and has words of its own
/// such as %unsubscribe_url%. Neither may come from what creators and followers type:
///
///   literals   A word behind a '%' moves into a variable ("%recipient.w0%", "w0":
///              "unsubscribe_url"), so that the call holds no such word and yet the words
///              come out as typed. In HTML its first letter is written as an entity instead.
///   values     The '%' before a word gets U+2060 behind it, which has no width; in HTML it
///              is written &#37;. So no value holds "%recipient." or any other word, and it
///              does not matter whether Mailgun looks at values again.
///
/// Our keys are "id", "a" (the seal of a link), "v<index>", "h<index>" (escaped for HTML) and
/// "w<number>": no name of a variable is on the wire.
///
/// Bounds    words_max words of word_bytes_max bytes get a variable, since each one is
///           repeated for every recipient; what is beyond gets U+2060 as values do.
/// Threads   one call, one thread.
/// Lifetime  `content` outlives the object.
class RecipientVariables {
public:
    static constexpr std::size_t words_max = 16;
    static constexpr std::size_t word_bytes_max = 64;

    explicit RecipientVariables(const Content& content) : content_{content} {}

    /// Appends a text with its slots as %recipient.key%.
    void append_text(const Text& text, Place place, std::string& out);

    /// Appends %recipient.key% for one slot.
    void append_slot(const Slot& slot, std::string& out);

    /// Appends %recipient.a%: of everybody's link, the seal.
    void append_seal(std::string& out);

    /// Appends the table for all variables that were used so far: an entry for every
    /// message, with at least its ref as "id".
    void append_table(std::span<const Message> messages, std::string& out) const;

private:
    struct Use {
        Slot slot;
        std::string key;  // As in the table: ,"v0":"
    };

    void append_literal(std::string_view literal, Place place, std::string& out, bool is_last);
    void append_word(std::string_view word, Place place, std::string& out);

    const Content& content_;
    std::vector<Use> uses_;
    bool uses_seals_ = false;
    std::vector<std::string_view> words_;  // Views into content_.
};

}  // namespace fanfare::mailgun
