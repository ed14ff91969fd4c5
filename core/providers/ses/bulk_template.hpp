#pragma once

#include "core/rendering/content.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::ses {

/// Where a text goes: a subject is one line.
enum class Place : std::uint8_t { subject, body };

/// Writes texts as an inline template of SES, and for each person the data it is filled with.
///
/// A slot is {{v<index>}}, or {{h<index>}} where its value is escaped for HTML, because SES
/// does not. Nothing that creators type may be read as template: braces and backslashes of
/// literals (which could open, close or escape a slot beside them) are moved into the data as
/// {{o}}, {{c}} and {{s}}. SES does not look at values again, so they may hold anything.
///
/// Every variable that is used is in everyone's data: where one is missing SES takes the
/// entry and drops the message later.
///
/// Bounds    value_bytes_max of a person's value, so that nobody's data makes SES refuse a call.
/// Threads   one call, one thread.
/// Lifetime  `content` outlives the object.
class BulkTemplate {
public:
    static constexpr std::size_t value_bytes_max = 2'000;

    explicit BulkTemplate(const Content& content) : content_{content} {}

    /// Appends a text as the inside of a JSON string.
    void append_text(const Text& text, Place place, std::string& out);

    /// Appends the object of one person, as the inside of a JSON string: it is JSON in JSON.
    void append_data(const Message& message, std::string& out) const;

    /// The same with nothing but what is the same for everyone.
    void append_shared_data(std::string& out) const;

private:
    struct Use {
        Slot slot;
        std::string key;  // As in the object: "v0":"
    };

    void append_literal(std::string_view literal, Place place, std::string& out);
    void append_slot(const Slot& slot, std::string& out);
    void append_signs(std::string& object) const;

    const Content& content_;
    std::vector<Use> uses_;
    std::array<bool, 3> signs_{};  // Which of { } \ are used.
};

}  // namespace fanfare::ses
