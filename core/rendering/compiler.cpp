// From mustache text to Program: a template is understood once, when it is loaded.
//
// A job renders the same few texts for a million people. The mustache library could do that: it
// would visit every word and every space through a std::function for each of them, 30 to 100
// times as dear a chunk, would have to mark the places of personal values with text inside the
// text, and keeps about 130 bytes for every space of an HTML part. So the library only parses;
// we walk the tree it built once, and nothing of it outlives compile(). What is left is a row of
// steps: a literal, a value, a section. What the audience shares becomes literals when a chunk
// is rendered, and what differs by person stays a slot, which batch providers take as a variable
// of the recipient.
//
// Mistakes must come out here, with line and column, and all at once: a template that fails at
// midnight fails for everybody. So everything that can be told without values is checked: bytes
// that no mail holds, tags that are not closed, nesting, names, and for HTML the place where a
// value stands (html_context.hpp). A value in a link, a script, a style or a tag's name cannot be
// made safe by escaping: it is refused, or its scheme is checked when the value is known.
//
// The checks before parse() are there for the parser's sake: changed delimiters would make them
// look for the wrong thing, and it recurses once per open section. Owners write templates, too:
// sizes, sections and names have bounds (compiler.hpp).
#include "core/rendering/compiler.hpp"

#include "core/rendering/html_context.hpp"

#include <fmt/format.h>
#include <kainjow/mustache.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace fanfare {
namespace {

using Node = kainjow::mustache::component<std::string>;
using kainjow::mustache::tag_type;
using Verb = Program::Verb;

constexpr std::size_t name_bytes_max = 64;

bool is_name(std::string_view name) noexcept {
    const auto is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !name.empty() && name.size() <= name_bytes_max && is_letter(name.front()) &&
           std::ranges::all_of(name,
                               [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

/// Turns offsets into lines and columns. Cheap when asked in rising order, as the compiler
/// does: it goes on from the last answer.
class Ruler {
public:
    explicit Ruler(std::string_view source) : source_{source} {}

    Position at(std::size_t offset) {
        if (offset < offset_) *this = Ruler{source_};
        for (; offset_ < offset && offset_ < source_.size(); ++offset_) {
            const char c = source_[offset_];
            if (c == '\n') {
                ++position_.line;
                position_.column = 1;
            } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
                ++position_.column;  // Continuation bytes belong to the character before them.
            }
        }
        return position_;
    }

private:
    std::string_view source_;
    std::size_t offset_ = 0;
    Position position_{1, 1};
};

class Compiler {
public:
    Compiler(std::string source, PartForm form, std::vector<std::string>& names)
        : source_{std::move(source)}, form_{form}, names_{names} {}

    std::variant<Program, std::vector<Complaint>> run() {
        check_bytes();
        check_tags();
        if (complaints_.empty()) parse();
        if (!complaints_.empty()) return std::move(complaints_);
        return Program{form_, std::move(literals_), std::move(steps_)};
    }

private:
    void complain(std::size_t offset, std::string found, std::string expected) {
        complaints_.push_back({ruler_.at(offset), std::move(found), std::move(expected)});
    }

    /// Bytes that no mail, SMS or JSON should hold.
    void check_bytes() {
        if (source_.size() > source_bytes_max) {
            complain(0, fmt::format("{} bytes", source_.size()),
                     fmt::format("at most {} bytes", source_bytes_max));
        }
        if (const auto at = find_invalid_utf8(source_); at != std::string::npos) {
            complain(at, fmt::format("byte 0x{:02x}", static_cast<unsigned char>(source_[at])),
                     "UTF-8");
        }
        for (std::size_t i = 0; i < source_.size(); ++i) {
            const auto byte = static_cast<unsigned char>(source_[i]);
            if (byte >= 0x20 && byte != 0x7f) continue;
            if (form_ != PartForm::line && (byte == '\n' || byte == '\t')) continue;
            complain(i, fmt::format("control character 0x{:02x}", byte),
                     form_ == PartForm::line ? "a single line" : "text without control characters");
            break;
        }
    }

    /// Before the library sees them: a tag that changes the delimiters would make all later
    /// checks look for the wrong thing, and its parser recurses once per open section.
    void check_tags() {
        std::size_t sections = 0;
        for (auto at = source_.find("{{"); at != std::string::npos;
             at = source_.find("{{", at + 1)) {
            const auto sign = source_.find_first_not_of(" \t\r\n\v\f{", at + 2);
            if (sign == std::string::npos) break;
            if (source_[sign] == '=') complain(at, "{{=", "no change of delimiters");
            if (source_[sign] != '#' && source_[sign] != '^') continue;
            if (++sections == sections_max + 1) {
                complain(at, "one more section", fmt::format("at most {} sections", sections_max));
            }
        }
    }

    void parse() {
        kainjow::mustache::context<std::string> nothing;
        kainjow::mustache::context_internal<std::string> context{nothing};
        Node root;
        std::string fault;
        const kainjow::mustache::parser<std::string> parser{source_, context, root, fault};
        if (!fault.empty()) {
            complain_as_library(fault);
            return;
        }
        find_lines_of_tags(root);
        std::ranges::sort(dropped_);
        emit(root);
    }

    /// "Unclosed tag at 17": the number is an offset.
    void complain_as_library(const std::string& fault) {
        const auto at = fault.rfind(" at ");
        std::size_t offset = 0;
        if (at != std::string::npos) {
            std::from_chars(fault.data() + at + 4, fault.data() + fault.size(), offset);
        }
        complain(offset, fault.substr(0, at),
                 "every {{ closed by }} and every {{#x}} by its own {{/x}}");
    }

    [[nodiscard]] std::size_t tag_end(std::size_t begin) const {
        return source_.find("}}", begin) + 2;
    }

    /// Section tags and comments that have a line for themselves take the line with them, as
    /// the mustache specification says. (The library decides that while rendering, and
    /// leaves an empty line behind where a section is skipped.)
    void find_lines_of_tags(const Node& node) {
        for (const auto& child : node.children) {
            const auto end = tag_end(child.position);
            if (child.tag.type == tag_type::comment) {
                drop_line_around(child.position, end);
            } else if (child.tag.is_section_begin()) {
                const auto close = end + child.tag.section_text->size();
                drop_line_around(child.position, end);
                drop_line_around(close, tag_end(close));
                find_lines_of_tags(child);
            }
        }
    }

    void drop_line_around(std::size_t begin, std::size_t end) {
        constexpr std::string_view blank{" \t"};
        const auto before = std::string_view{source_}.substr(0, begin).find_last_not_of(blank);
        const auto line_begin = before == std::string::npos ? 0 : before + 1;
        const auto after = std::min(source_.find_first_not_of(blank, end), source_.size());
        if (line_begin > 0 && source_[line_begin - 1] != '\n') return;
        if (after < source_.size() && source_[after] != '\n') return;
        if (line_begin == 0 && after == source_.size()) return;  // There is no other line.
        dropped_.emplace_back(line_begin, begin);
        dropped_.emplace_back(end, std::min(after + 1, source_.size()));
    }

    [[nodiscard]] bool is_dropped(std::size_t offset) const {
        const auto next = std::ranges::upper_bound(dropped_, offset, {},
                                                   &std::pair<std::size_t, std::size_t>::first);
        return next != dropped_.begin() && offset < std::prev(next)->second;
    }

    void emit(const Node& node) {
        for (const auto& child : node.children) emit_one(child);
    }

    void emit_one(const Node& node) {
        switch (node.tag.type) {
            case tag_type::text:
                if (!is_dropped(node.position)) emit_literal(node);
                return;
            case tag_type::comment:
                return;
            case tag_type::unescaped_variable:
                if (form_ == PartForm::html) {
                    complain(node.position, fmt::format("{{{{{{{}}}}}}}", node.tag.name),
                             "{{...}}: in HTML every value is escaped");
                    return;
                }
                [[fallthrough]];
            case tag_type::variable:
                emit_variable(node);
                return;
            case tag_type::section_begin:
                emit_section(node, Verb::section);
                return;
            case tag_type::section_begin_inverted:
                emit_section(node, Verb::inverted);
                return;
            case tag_type::partial:
                complain(node.position, fmt::format("{{{{>{}}}}}", node.tag.name), "no partials");
                return;
            case tag_type::section_end:
            case tag_type::set_delimiter:
                complain(node.position, "a tag out of place", "another tag");
                return;
        }
    }

    void emit_literal(const Node& node) {
        if (form_ == PartForm::html) {
            if (const auto fault = place_.read(node.text)) {
                complain(node.position + fault->offset, std::string{fault->found},
                         std::string{fault->expected});
            }
        }
        const auto begin = static_cast<std::uint32_t>(literals_.size());
        literals_.append(node.text);
        const auto end = static_cast<std::uint32_t>(literals_.size());
        // The parser cuts at every space; steps need to end only where a tag stands.
        if (!steps_.empty() && steps_.back().verb == Verb::literal && label_ != steps_.size()) {
            steps_.back().end = end;
        } else {
            steps_.push_back({Verb::literal, 0, begin, end, ruler_.at(node.position)});
        }
    }

    void emit_variable(const Node& node) {
        if (const auto objection = place_.objection(); !objection.empty()) {
            complain(node.position, fmt::format("{{{{{}}}}}", node.tag.name),
                     std::string{objection});
        }
        const bool is_link = form_ == PartForm::html && place_.wants_link();
        steps_.push_back(
            {Verb::variable, find_index(node), 0, 0, ruler_.at(node.position), is_link});
    }

    void emit_section(const Node& node, Verb verb) {
        const auto place = place_;
        const auto at = steps_.size();
        steps_.push_back({verb, find_index(node), 0, 0, ruler_.at(node.position)});
        emit(node);
        label_ = steps_.size();
        steps_[at].end = static_cast<std::uint32_t>(label_);
        if (!place_.same_as(place)) {
            complain(node.position, fmt::format("section \"{}\"", node.tag.name),
                     "a section that ends where it begins: outside of any tag it opens, with "
                     "every quote closed, and with a link as a whole or not at all");
        }
        place_ = place;
    }

    std::uint16_t find_index(const Node& node) {
        const auto& name = node.tag.name;
        if (!is_name(name)) {
            complain(node.position, fmt::format("variable \"{}\"", name.substr(0, name_bytes_max)),
                     fmt::format("a name of at most {} letters, digits and _", name_bytes_max));
            return 0;
        }
        const auto found = std::ranges::find(names_, name);
        const auto index = static_cast<std::size_t>(found - names_.begin());
        if (found == names_.end()) {
            if (names_.size() == names_max) {
                complain(node.position, fmt::format("variable \"{}\"", name),
                         fmt::format("at most {} variables", names_max));
                return 0;
            }
            names_.push_back(name);
        }
        return static_cast<std::uint16_t>(index);
    }

    std::string source_;
    Ruler ruler_{source_};
    PartForm form_;
    std::vector<std::string>& names_;
    std::vector<Complaint> complaints_;
    std::vector<std::pair<std::size_t, std::size_t>> dropped_;  // Source ranges, sorted.
    HtmlContext place_;
    std::string literals_;
    std::vector<Program::Step> steps_;
    std::size_t label_ = 0;  // A step that a section jumps to: must begin a step of its own.
};

}  // namespace

std::variant<Program, std::vector<Complaint>> compile(std::string_view source, PartForm form,
                                                      std::vector<std::string>& names) {
    return Compiler{std::string{source}, form, names}.run();
}

}  // namespace fanfare
