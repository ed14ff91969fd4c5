#include "core/providers/sendgrid/substitutions.hpp"

#include "core/error/failure.hpp"
#include "core/providers/bytes.hpp"
#include "core/providers/encoding.hpp"

#include <algorithm>

namespace fanfare::sendgrid {
namespace {

/// Calls `write` with all of `text`, and breaks each mark in it.
template <class Write>
void write_guarded(std::string_view text, std::string_view mark, std::string& out, Write write) {
    for (auto at = text.find(mark); at != std::string_view::npos; at = text.find(mark)) {
        write(text.substr(0, at + 1));
        out.append(bytes::joiner);
        text.remove_prefix(at + 1);
    }
    write(text);
}

}  // namespace

void Substitutions::append_slot(const Slot& slot, std::string& out) {
    ensure(slot.variable < content_.variables.size(), "a slot names a variable of its content");
    std::string tag{"-"};
    tag.append(mark_).push_back(slot.escape == Escape::html ? 'h' : 'v');
    append_number(slot.variable, tag);
    tag.push_back('-');
    out.append(tag);
    const auto known =
        std::any_of(uses_.begin(), uses_.end(), [&slot](const Use& u) { return u.slot == slot; });
    if (!known) uses_.push_back({slot, "\"" + tag + "\":\""});
}

void Substitutions::append_text(const Text& text, Place place, std::string& out) {
    for (const auto& piece : text) {
        write_guarded(piece.literal, mark_, out, [place, &out](std::string_view literal) {
            place == Place::subject ? append_json_line(literal, out) : append_json(literal, out);
        });
        if (piece.slot) append_slot(*piece.slot, out);
    }
}

void Substitutions::append_value(std::string_view value, Escape escape, std::string& out) const {
    write_guarded(value, mark_, out, [escape, &out](std::string_view part) {
        escape == Escape::html ? append_json_html(part, out) : append_json_line(part, out);
    });
}

void Substitutions::append_values(const Message& message, std::string& out) const {
    const auto begin = out.size();
    out.push_back('{');
    for (const auto& use : uses_) {
        if (out.size() > begin + 1) out.push_back(',');
        out.append(use.key);
        append_value(message.values[use.slot.variable], use.slot.escape, out);
        out.push_back('"');
    }
    out.push_back('}');
    if (out.size() - begin <= values_bytes_max) return;
    out.resize(begin);
    append_shares(message, out);
}

void Substitutions::append_shares(const Message& message, std::string& out) const {
    std::size_t fixed = 2;
    for (const auto& use : uses_) fixed += use.key.size() + 2;
    const auto share = fixed < values_bytes_max ? (values_bytes_max - fixed) / uses_.size() : 0;
    std::string encoded;
    char separator = '{';
    for (const auto& use : uses_) {
        auto value = message.values[use.slot.variable];
        encoded.clear();
        append_value(value, use.slot.escape, encoded);
        while (encoded.size() > share) {
            // At least by one byte, and by what the encoding adds.
            value = bytes::cut(value,
                               std::min(value.size() - 1, value.size() * share / encoded.size()));
            encoded.clear();
            append_value(value, use.slot.escape, encoded);
        }
        out.push_back(separator);
        separator = ',';
        out.append(use.key).append(encoded).push_back('"');
    }
    out.push_back('}');
}

}  // namespace fanfare::sendgrid
