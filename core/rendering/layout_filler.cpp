#include "core/rendering/layout_filler.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace fanfare {
namespace {

constexpr std::string_view hole_begin{"[["};
constexpr std::string_view hole_end{"]]"};
constexpr std::size_t depth_max = 16;  // Of sections within each other.

/// Follows a text from its beginning, counting lines and characters.
struct Cursor {
    std::uint32_t line = 1;
    std::uint32_t column = 1;

    void pass(std::string_view text) {
        for (const char c : text) {
            if (c == '\n') {
                ++line;
                column = 1;
            } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
                ++column;
            }
        }
    }
};

/// Strings as people write them, fit for HTML between its tags. What is written as {{name}} stays.
std::string escaped(std::string_view text) {
    std::string out;
    bool in_tag = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.substr(i, 2) == "{{") in_tag = true;
        if (text.substr(i, 2) == "}}") in_tag = false;
        const char c = text[i];
        if (c == '&' && !in_tag) {
            out += "&amp;";
        } else if (c == '<' && !in_tag) {
            out += "&lt;";
        } else if (c == '>' && !in_tag) {
            out += "&gt;";
        } else if (c == '"' && !in_tag) {
            out += "&quot;";
        } else {
            out.push_back(c);
        }
    }
    return out;
}

bool is_given(const YamlValue* value) {
    if (value == nullptr || value->is_null()) return false;
    return !value->is_scalar() || (!value->text.empty() && value->text != "false");
}

/// Fills the holes of one text.
class Filler {
public:
    Filler(const LayoutMessage& message, const TemplateSource& layout, bool is_html,
           Problems& problems)
        : message_{message},
          layout_{layout},
          is_html_{is_html},
          scopes_{message.scopes},
          problems_{problems} {}

    TemplateSource fill(std::string path) {
        out_.path = std::move(path);
        write(layout_.text, {}, 0);
        return std::move(out_);
    }

private:
    struct Hole {
        std::size_t begin = 0, end = 0;  // With its brackets; a section's takes a line of its own.
        char sign = '\0';                // '#', '^', '/' or none.
        std::string_view name;
    };

    void complain(const Cursor& at, std::string_view found, std::string expected) {
        problems_.push_back({layout_.path, static_cast<int>(at.line), "layout", std::string{found},
                             std::move(expected), static_cast<int>(at.column)});
    }

    static std::optional<Hole> next_hole(std::string_view text, std::size_t from) {
        const auto begin = text.find(hole_begin, from);
        if (begin == std::string_view::npos) return std::nullopt;
        const auto close = text.find(hole_end, begin);
        if (close == std::string_view::npos) return std::nullopt;
        Hole hole{begin, close + hole_end.size(), '\0', {}};
        hole.name = text.substr(begin + hole_begin.size(), close - begin - hole_begin.size());
        if (hole.name.empty() || std::string_view{"#^/"}.find(hole.name[0]) == std::string::npos) {
            return hole;
        }
        hole.sign = hole.name[0];
        hole.name.remove_prefix(1);
        const bool begins_line = begin == 0 || text[begin - 1] == '\n';
        if (begins_line && hole.end < text.size() && text[hole.end] == '\n') ++hole.end;
        return hole;
    }

    /// The hole that closes the section `open`.
    static std::optional<Hole> closing(std::string_view text, const Hole& open) {
        int depth = 1;
        for (auto at = open.end;;) {
            const auto hole = next_hole(text, at);
            if (!hole) return std::nullopt;
            if (hole->name == open.name && hole->sign != '\0') {
                depth += hole->sign == '/' ? -1 : 1;
                if (depth == 0) return hole;
            }
            at = hole->end;
        }
    }

    struct Found {
        const YamlValue* value = nullptr;
        const std::string* path = nullptr;
    };
    Found find(std::string_view name) const {
        message_.lookups->names.emplace_back(name);
        for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
            const auto* const value = message_.lookups->find(*scope->map, name);
            // A map holds the words of a list's items.
            if (value != nullptr && !value->is_map()) return {value, scope->path};
        }
        return {};
    }

    void append(std::string_view text, const std::string& path, const Cursor& from) {
        if (text.empty()) return;
        out_.pieces.push_back({{cursor_.line, cursor_.column}, path, {from.line, from.column}});
        out_.text += text;
        cursor_.pass(text);
    }

    void write_string(const Found& found) {
        const auto& value = *found.value;
        const Cursor from{static_cast<std::uint32_t>(value.line),
                          static_cast<std::uint32_t>(value.column + (value.quoted ? 1 : 0))};
        append(is_html_ ? escaped(value.text) : value.text, *found.path, from);
    }

    void write(std::string_view text, Cursor at, std::size_t depth) {
        for (std::size_t done = 0; done < text.size();) {
            const auto hole = next_hole(text, done);
            const auto plain = text.substr(done, hole ? hole->begin - done : hole_end.npos);
            append(plain, layout_.path, at);
            at.pass(plain);
            if (!hole) return;
            const auto end =
                hole->sign == '\0' ? write_hole(*hole, at) : write_section(text, *hole, at, depth);
            at.pass(text.substr(hole->begin, end - hole->begin));
            done = end;
        }
    }

    std::size_t write_hole(const Hole& hole, const Cursor& at) {
        if (hole.name == "locale") {
            append(message_.locale, layout_.path, at);
            return hole.end;
        }
        const auto found = find(hole.name);
        if (found.value != nullptr && found.value->is_scalar()) {
            write_string(found);
        } else {
            problems_.push_back({fmt::format("{}/{}.yaml", message_.folder, message_.locale), 0,
                                 std::string{hole.name}, "",
                                 fmt::format("a text, which {}:{} shows", layout_.path, at.line)});
        }
        return hole.end;
    }

    std::size_t write_section(std::string_view text, const Hole& open, const Cursor& at,
                              std::size_t depth) {
        const auto close = open.sign == '/' ? std::nullopt : closing(text, open);
        if (!close || depth == depth_max) {
            complain(at, fmt::format("[[{}{}]]", open.sign, open.name),
                     close ? "fewer sections within each other"
                           : "[[#name]] or [[^name]], and [[/name]] behind it");
            return text.size();
        }
        const auto inner = text.substr(open.end, close->begin - open.end);
        Cursor inner_at = at;
        inner_at.pass(text.substr(open.begin, open.end - open.begin));
        const auto found = find(open.name);
        const bool is_list = found.value != nullptr && found.value->is_list();
        if ((open.sign == '^') != is_given(found.value)) {
            if (is_list && open.sign == '#') {
                write_each(found, open.name, inner, inner_at, depth);
            } else {
                write(inner, inner_at, depth + 1);
            }
        }
        return close->end;
    }

    /// What an item does not say itself the strings say, under the list's name and its own.
    void write_each(const Found& list, std::string_view name, std::string_view inner,
                    const Cursor& at, std::size_t depth) {
        static const YamlValue yes{YamlValue::Shape::scalar, "true", false, false, 0, 0, {}, {}};
        const auto outer = scopes_;
        for (std::size_t i = 0; i < list.value->items.size(); ++i) {
            const auto& item = list.value->items[i];
            const auto* const own_name = item.find("name");
            for (const auto& scope : outer) {
                const auto* const words = message_.lookups->find(*scope.map, name);
                if (words == nullptr || own_name == nullptr) continue;
                const auto* const theirs = words->find(own_name->text);
                if (theirs != nullptr) scopes_.push_back({theirs, scope.path});
            }
            scopes_.push_back({&item, list.path});
            YamlValue place;
            place.shape = YamlValue::Shape::map;
            for (const auto& [word, is_so] :
                 {std::pair{"first", i == 0},
                  std::pair{"last", i + 1 == list.value->items.size()}}) {
                if (!is_so) continue;
                place.keys.push_back({word, 0});
                place.items.push_back(yes);
            }
            scopes_.push_back({&place, list.path});
            write(inner, at, depth + 1);
            scopes_ = outer;
        }
    }

    const LayoutMessage& message_;
    const TemplateSource& layout_;
    bool is_html_;
    std::vector<LayoutScope> scopes_;
    Problems& problems_;
    TemplateSource out_;
    Cursor cursor_;
};

}  // namespace

TemplateSource fill_layout(const LayoutMessage& message, const TemplateSource& layout, bool is_html,
                           std::string path, Problems& problems) {
    return Filler{message, layout, is_html, problems}.fill(std::move(path));
}

}  // namespace fanfare
