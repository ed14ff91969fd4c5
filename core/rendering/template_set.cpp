#include "core/rendering/template_set.hpp"

#include "core/rendering/compiler.hpp"
#include "core/rendering/segments.hpp"
#include "core/rendering/templates.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare {
namespace {

constexpr std::size_t sample_bytes = 200;  // Of each value that measure() tries.

/// Ends of lines as Unix writes them, no byte order mark, and no newline at the end of what
/// is not a file of its own.
std::string normalised(std::string_view text, const PartKind& part) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.substr(i, 2) != "\r\n") out.push_back(text[i]);
    }
    if (!part.keeps_last_newline) out.erase(out.find_last_not_of('\n') + 1);
    return out;
}

/// Says of positions in a text that was put together where they were written.
class Origins {
public:
    Origins(const TemplateSource& source, std::vector<std::string>& files)
        : pieces_{source.pieces}, files_{files} {}

    void move(Position& position) {
        const auto is_behind = [](const Position& at, const TemplateSource::Piece& piece) {
            return std::pair{at.line, at.column} < std::pair{piece.at.line, piece.at.column};
        };
        auto piece = std::upper_bound(pieces_.begin(), pieces_.end(), position, is_behind);
        if (piece == pieces_.begin()) return;
        --piece;
        const auto same_line = position.line == piece->at.line;
        position.column =
            same_line ? position.column - piece->at.column + piece->from.column : position.column;
        position.line = position.line - piece->at.line + piece->from.line;
        position.file = find_index(piece->file);
    }

private:
    std::uint16_t find_index(const std::string& file) {
        auto found = std::ranges::find(files_, file);
        if (found == files_.end()) found = files_.insert(found, file);
        return static_cast<std::uint16_t>(found - files_.begin() + 1);
    }

    std::span<const TemplateSource::Piece> pieces_;
    std::vector<std::string>& files_;
};

/// The part with `value` for every shared variable, and nothing for personal ones.
std::optional<Complaint> run_with(const Program& program, std::span<const std::string> names,
                                  std::span<const VariableStanding> standings,
                                  const std::string& value, std::size_t place, Text& text) {
    std::vector<Binding> bindings;
    for (const auto standing : standings) bindings.push_back({standing, &value, 0});
    return program.run(names, bindings, output_bytes_max(place), text);
}

}  // namespace

Problem Localised::to_problem(std::size_t place, const Complaint& complaint) const {
    const auto& position = complaint.position;
    return {position.file == 0 ? files[place] : origins[position.file - 1],
            static_cast<int>(position.line),
            "template",
            complaint.found,
            complaint.expected,
            static_cast<int>(position.column)};
}

Problems Localised::check(std::span<const VariableStanding> standings,
                          const std::string& known) const {
    Problems problems;
    for (std::size_t place = 0; place < part_places; ++place) {
        if (!parts[place]) continue;
        for (auto& complaint : parts[place]->check(names, standings)) {
            if (complaint.expected.empty()) complaint.expected = known;
            problems.push_back(to_problem(place, complaint));
        }
    }
    return problems;
}

bool Localised::begins_links(std::size_t variable) const {
    if (std::ranges::find(whole_audience_variables, names[variable]) !=
        whole_audience_variables.end()) {
        return false;
    }
    bool found = false;
    for (const auto& part : parts) {
        if (!part) continue;
        part->each_link([&](std::uint16_t index) { found = found || index == variable; });
    }
    return found;
}

Problems Localised::measure(Channel channel, std::span<const VariableStanding> standings) const {
    Problems problems;
    for (std::size_t place = 0; place < part_places; ++place) {
        if (!parts[place]) continue;
        Text text;
        // Fit for every place, also for that of a link.
        std::string sample{"https://"};
        sample.resize(sample_bytes, 'x');
        const auto complaint = run_with(*parts[place], names, standings, sample, place, text);
        if (complaint) problems.push_back(to_problem(place, *complaint));
        if (channel != Channel::sms) continue;
        text.clear();
        std::ignore = run_with(*parts[place], names, standings, {}, place, text);
        std::string bare;
        for (const auto& piece : text) bare += piece.literal;
        const auto segments = count_segments(bare).count;
        if (segments <= sms_segments_max) continue;
        problems.push_back(
            to_problem(place, {{1, 1},
                               fmt::format("{} segments without any value", segments),
                               fmt::format("at most {} segments", sms_segments_max)}));
    }
    return problems;
}

const TemplateSet::Locales* TemplateSet::find(std::string_view folder, Channel channel) const {
    const auto found = folders.find(folder);
    if (found == folders.end()) return nullptr;
    const auto& locales = found->second[static_cast<std::size_t>(channel)];
    return locales.empty() ? nullptr : &locales;
}

void TemplateSet::add(const TemplateName& name, const TemplateSource& source,
                      const std::string& file, Problems& problems) {
    auto& locales = folders[name.folder][static_cast<std::size_t>(name.channel)];
    auto* localised = find_locale(locales, locale_key(name.locale));
    if (localised == nullptr) {
        localised = locales.emplace_back(std::make_shared<Localised>()).get();
        localised->key = locale_key(name.locale);
        localised->name = name.locale;
    }
    auto& known_file = localised->files[name.part.place];
    if (!known_file.empty()) {
        problems.push_back({file, 0, "file name", source.path,
                            fmt::format("one file per locale: {} is the same", known_file)});
        return;
    }
    known_file = file;
    auto compiled = compile(normalised(source.text, name.part), name.part.form, localised->names);
    Origins origins{source, localised->origins};
    if (auto* program = std::get_if<Program>(&compiled)) {
        program->each_position([&](Position& position) { origins.move(position); });
        localised->parts[name.part.place] = std::move(*program);
        return;
    }
    for (auto& complaint : std::get<std::vector<Complaint>>(compiled)) {
        origins.move(complaint.position);
        problems.push_back(localised->to_problem(name.part.place, complaint));
    }
}

void TemplateSet::find_missing(const std::filesystem::path& origin, Problems& problems) const {
    for (const auto& [folder, by_channel] : folders) {
        for (const auto channel : channels) {
            const auto* locales = find(folder, channel);
            if (locales == nullptr) continue;
            const auto complain = [&](std::string_view locale, const PartKind& part) {
                const auto file =
                    fmt::format("{}/{}.mustache", folder, part_name(channel, locale, part));
                problems.push_back({(origin / file).string(), 0, "file", "", "this file"});
            };
            for (const auto& part : list_parts(channel)) {
                if (!part.required) continue;
                for (const auto& localised : *locales) {
                    if (localised->files[part.place].empty()) complain(localised->name, part);
                }
                // Without the default there would be nothing to fall back to.
                if (find_locale(*locales, "") == nullptr) complain("", part);
            }
        }
    }
}

Localised* find_locale(const TemplateSet::Locales& locales, std::string_view key) {
    const auto found = std::ranges::find(
        locales, key, [](const auto& each) -> std::string_view { return each->key; });
    return found == locales.end() ? nullptr : found->get();
}

std::size_t output_bytes_max(std::size_t place) noexcept {
    return place == 2 ? html_bytes_max : part_bytes_max;
}

std::string list_of_known(std::vector<std::string> names) {
    if (names.empty()) return "a known variable, but there is none";
    sort_unique(names);
    return fmt::format("one of the known variables: {}", fmt::join(names, ", "));
}

void sort_unique(std::vector<std::string>& names) {
    std::ranges::sort(names);
    const auto rest = std::ranges::unique(names);
    names.erase(rest.begin(), rest.end());
}

}  // namespace fanfare
