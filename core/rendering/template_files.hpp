#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/rendering/clean.hpp"
#include "core/rendering/position.hpp"
#include "core/settings/problem.hpp"

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fanfare {

/// One template as text. `path` is relative: "show.reminder/email.de.subject.mustache".
struct TemplateSource {
    /// A stretch of the text that was written elsewhere.
    struct Piece {
        Position at;       // Where it begins in the text.
        std::string file;  // Where it was written, and there.
        Position from;
    };

    std::string path;
    std::string text;
    std::vector<Piece> pieces{};  // In the order of the text; none where it is a file of its own.
};

/// A part of a channel's message, by the word used in file names.
struct PartKind {
    std::string_view word;
    PartForm form;
    bool required;
    bool keeps_last_newline;  // A mail's text ends with one, an SMS does not.
    std::size_t place;        // 0 Content::subject, 1 text, 2 html.
};
inline constexpr std::size_t part_places = 3;

[[nodiscard]] std::vector<PartKind> list_parts(Channel channel);

/// What a file's path says: templates/<folder>/<channel>[.<locale>].<part>.mustache
struct TemplateName {
    std::string folder;
    Channel channel = Channel::email;
    std::string locale;  // As written; "" is the default.
    PartKind part{};
};

/// The name, or what would be right.
[[nodiscard]] std::variant<TemplateName, std::string> parse_template_name(std::string_view path);

/// "email.de.subject": how a part is named, without folder and suffix.
[[nodiscard]] std::string part_name(Channel channel, std::string_view locale, const PartKind& part);

/// Lower case, "_" as "-", and nothing from "." or "@" on: "pt_BR.UTF-8" is "pt-br".
[[nodiscard]] std::string locale_key(std::string_view locale);

/// Reads every template below `dir`, and writes out messages that are given as a layout and strings
/// (layout.hpp); a file of the same name comes before those. Hidden files and *.md are passed over.
///
/// Bounds    template_files_max files of source_bytes_max each.
[[nodiscard]] std::variant<std::vector<TemplateSource>, Problems> read_template_files(
    const std::filesystem::path& dir);

}  // namespace fanfare
