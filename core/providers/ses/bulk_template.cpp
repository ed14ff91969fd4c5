#include "core/providers/ses/bulk_template.hpp"

#include "core/error/failure.hpp"
#include "core/providers/bytes.hpp"
#include "core/providers/encoding.hpp"

#include <algorithm>

namespace fanfare::ses {
namespace {

constexpr std::string_view signs = "{}\\";
constexpr std::string_view sign_names = "ocs";

}  // namespace

void BulkTemplate::append_slot(const Slot& slot, std::string& out) {
    ensure(slot.variable < content_.variables.size(), "a slot names a variable of its content");
    std::string name{slot.escape == Escape::html ? 'h' : 'v'};
    append_number(slot.variable, name);
    out.append("{{").append(name).append("}}");
    const auto known =
        std::any_of(uses_.begin(), uses_.end(), [&slot](const Use& u) { return u.slot == slot; });
    if (known) return;
    std::string key{'"'};
    key.append(name).append("\":\"");
    uses_.push_back({slot, std::move(key)});
}

void BulkTemplate::append_literal(std::string_view literal, Place place, std::string& out) {
    while (!literal.empty()) {
        const auto at = std::min(literal.find_first_of(signs), literal.size());
        const auto plain = literal.substr(0, at);
        place == Place::subject ? append_json_line(plain, out) : append_json(plain, out);
        if (at == literal.size()) return;
        const auto sign = signs.find(literal[at]);
        signs_[sign] = true;
        out.append("{{").append(1, sign_names[sign]).append("}}");
        literal.remove_prefix(at + 1);
    }
}

void BulkTemplate::append_text(const Text& text, Place place, std::string& out) {
    for (const auto& piece : text) {
        append_literal(piece.literal, place, out);
        if (piece.slot) append_slot(*piece.slot, out);
    }
}

void BulkTemplate::append_signs(std::string& object) const {
    for (std::size_t i = 0; i < signs.size(); ++i) {
        if (!signs_[i]) continue;
        if (object.size() > 1) object.push_back(',');
        object.append("\"").append(1, sign_names[i]).append("\":\"");
        append_json(signs.substr(i, 1), object);
        object.push_back('"');
    }
    object.push_back('}');
}

void BulkTemplate::append_data(const Message& message, std::string& out) const {
    thread_local std::string object;
    object.clear();
    object.push_back('{');
    for (const auto& use : uses_) {
        if (object.size() > 1) object.push_back(',');
        object.append(use.key);
        const auto value = bytes::cut(message.values[use.slot.variable], value_bytes_max);
        use.slot.escape == Escape::html ? append_json_html(value, object)
                                        : append_json_line(value, object);
        object.push_back('"');
    }
    append_signs(object);
    append_json(object, out);
}

void BulkTemplate::append_shared_data(std::string& out) const {
    std::string object{"{"};
    append_signs(object);
    append_json(object, out);
}

}  // namespace fanfare::ses
