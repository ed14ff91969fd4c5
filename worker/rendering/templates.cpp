#include "worker/rendering/templates.hpp"

#include "worker/rendering/compiler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fanfare {
namespace {

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

Problem to_problem(const std::string& file, const Complaint& complaint) {
    return {file, static_cast<int>(complaint.position.line),
            fmt::format("column {}", complaint.position.column), complaint.found,
            complaint.expected};
}

std::string list_of(std::vector<std::string> names) {
    if (names.empty()) return "a known variable, but there is none";
    std::ranges::sort(names);
    const auto rest = std::ranges::unique(names);
    names.erase(rest.begin(), rest.end());
    return fmt::format("one of the known variables: {}", fmt::join(names, ", "));
}

std::size_t bytes_max_of(std::size_t place) { return place == 2 ? html_bytes_max : part_bytes_max; }

bool contains(std::span<const std::string> names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

}  // namespace

/// The parts of one channel in one locale. They share a table of variable names.
struct Templates::Localised {
    std::string key;   // locale_key().
    std::string name;  // As in the file names.
    std::vector<std::string> names;
    std::array<std::optional<Program>, part_places> parts;
    std::array<std::string, part_places> files;
};

struct Templates::Shelf {
    using Locales = std::vector<Localised>;
    std::map<std::string, std::array<Locales, channel_count>, std::less<>> folders;

    [[nodiscard]] const Locales* find(std::string_view folder, Channel channel) const {
        const auto found = folders.find(folder);
        if (found == folders.end()) return nullptr;
        const auto& locales = found->second[static_cast<std::size_t>(channel)];
        return locales.empty() ? nullptr : &locales;
    }

    void add(const TemplateSource& source, const std::string& file, Problems& problems);
    void find_missing(const std::filesystem::path& origin, Problems& problems) const;
};

void Templates::Shelf::add(const TemplateSource& source, const std::string& file,
                           Problems& problems) {
    const auto parsed = parse_template_name(source.path);
    if (const auto* expected = std::get_if<std::string>(&parsed)) {
        problems.push_back({file, 0, "file name", source.path, *expected});
        return;
    }
    const auto& name = std::get<TemplateName>(parsed);
    auto& locales = folders[name.folder][static_cast<std::size_t>(name.channel)];
    const auto key = locale_key(name.locale);
    auto localised = std::ranges::find(locales, key, &Localised::key);
    if (localised == locales.end()) {
        localised = locales.insert(locales.end(), {key, name.locale, {}, {}, {}});
    }
    auto& known_file = localised->files[name.part.place];
    if (!known_file.empty()) {
        problems.push_back({file, 0, "file name", source.path,
                            fmt::format("one file per locale: {} is the same", known_file)});
        return;
    }
    known_file = file;
    auto compiled = compile(normalised(source.text, name.part), name.part.form, localised->names);
    if (auto* program = std::get_if<Program>(&compiled)) {
        localised->parts[name.part.place] = std::move(*program);
        return;
    }
    for (const auto& complaint : std::get<std::vector<Complaint>>(compiled)) {
        problems.push_back(to_problem(file, complaint));
    }
}

void Templates::Shelf::find_missing(const std::filesystem::path& origin, Problems& problems) const {
    for (const auto& [folder, by_channel] : folders) {
        for (const auto channel : channels) {
            const auto* locales = find(folder, channel);
            if (locales == nullptr) continue;
            const auto stem = fmt::format("{}/{}", folder, to_string(channel));
            const auto complain = [&](const std::string& path) {
                problems.push_back({(origin / path).string(), 0, "file", "", "this file"});
            };
            for (const auto& part : parts_of(channel)) {
                if (!part.required) continue;
                for (const auto& localised : *locales) {
                    if (!localised.files[part.place].empty()) continue;
                    const auto dot = localised.name.empty() ? "" : ".";
                    complain(
                        fmt::format("{}{}{}.{}.mustache", stem, dot, localised.name, part.word));
                }
                // Without the default there would be nothing to fall back to.
                if (std::ranges::find(*locales, "", &Localised::key) == locales->end()) {
                    complain(fmt::format("{}.{}.mustache", stem, part.word));
                }
            }
        }
    }
}

std::variant<Templates, Problems> Templates::load(const std::filesystem::path& dir) {
    auto read = read_template_files(dir);
    if (auto* problems = std::get_if<Problems>(&read)) return std::move(*problems);
    return parse(std::get<std::vector<TemplateSource>>(read), dir);
}

std::variant<Templates, Problems> Templates::parse(std::span<const TemplateSource> sources,
                                                   const std::filesystem::path& origin) {
    auto shelf = std::make_shared<Shelf>();
    Problems problems;
    for (const auto& source : sources) {
        shelf->add(source, (origin / source.path).string(), problems);
    }
    shelf->find_missing(origin, problems);
    if (!problems.empty()) return problems;
    return Templates{std::move(shelf)};
}

bool Templates::has(std::string_view folder, Channel channel) const {
    return shelf_->find(folder, channel) != nullptr;
}

std::vector<std::string> Templates::variables(std::string_view folder, Channel channel) const {
    std::vector<std::string> names;
    if (const auto* locales = shelf_->find(folder, channel)) {
        for (const auto& localised : *locales) {
            names.insert(names.end(), localised.names.begin(), localised.names.end());
        }
    }
    std::ranges::sort(names);
    const auto rest = std::ranges::unique(names);
    names.erase(rest.begin(), rest.end());
    return names;
}

const Templates::Localised* Templates::find(std::string_view folder, Channel channel,
                                            std::string_view locale) const {
    const auto* locales = shelf_->find(folder, channel);
    if (locales == nullptr) return nullptr;
    for (auto key = locale_key(locale);;) {
        const auto found = std::ranges::find(*locales, key, &Localised::key);
        if (found != locales->end()) return &*found;
        // The default exists: find_missing() saw to it.
        const auto dash = key.rfind('-');
        key.resize(dash == std::string::npos ? 0 : dash);
    }
}

std::string_view Templates::resolve_locale(std::string_view folder, Channel channel,
                                           std::string_view locale) const {
    const auto* localised = find(folder, channel, locale);
    return localised == nullptr ? std::string_view{} : localised->name;
}

std::optional<Problem> Templates::check(std::string_view folder, Channel channel,
                                        std::span<const std::string> shared_names,
                                        std::span<const std::string> personal_names) const {
    const auto* locales = shelf_->find(folder, channel);
    if (locales == nullptr) {
        return Problem{std::string{folder}, 0, "channel", std::string{to_string(channel)},
                       "a folder of templates that serves this channel"};
    }
    for (const auto& localised : *locales) {
        std::vector<Standing> standings;
        for (const auto& name : localised.names) {
            standings.push_back(contains(personal_names, name) ? Standing::personal
                                : contains(shared_names, name) ? Standing::shared
                                                               : Standing::unknown);
        }
        for (std::size_t place = 0; place < part_places; ++place) {
            if (!localised.parts[place]) continue;
            auto complaint = localised.parts[place]->check(localised.names, standings);
            if (!complaint) continue;
            if (complaint->expected.empty()) {
                std::vector<std::string> known{shared_names.begin(), shared_names.end()};
                known.insert(known.end(), personal_names.begin(), personal_names.end());
                complaint->expected = list_of(std::move(known));
            }
            return to_problem(localised.files[place], *complaint);
        }
    }
    return std::nullopt;
}

Result<Content> Templates::render(std::string_view folder, Channel channel, std::string_view locale,
                                  const std::map<std::string, std::string>& shared,
                                  std::span<const std::string> personal) const {
    const auto* localised = find(folder, channel, locale);
    if (localised == nullptr) {
        return fail(Errc::template_invalid, fmt::format("render {}: it has no templates for {}",
                                                        folder, to_string(channel)));
    }
    Content content;
    content.channel = channel;
    content.locale = localised->name;
    std::vector<Binding> bindings(localised->names.size());
    for (std::size_t i = 0; i < bindings.size(); ++i) {
        const auto& name = localised->names[i];
        if (contains(personal, name)) {
            bindings[i] = {Standing::personal, nullptr,
                           static_cast<std::uint16_t>(content.variables.size())};
            content.variables.push_back(name);
        } else if (const auto found = shared.find(name); found != shared.end()) {
            bindings[i] = {Standing::shared, &found->second, 0};
        }
    }
    const std::array<Text*, part_places> texts{&content.subject, &content.text, &content.html};
    for (std::size_t place = 0; place < part_places; ++place) {
        if (!localised->parts[place]) continue;
        auto complaint = localised->parts[place]->run(localised->names, bindings,
                                                      bytes_max_of(place), *texts[place]);
        if (!complaint) continue;
        if (complaint->expected.empty()) {
            std::vector<std::string> known{personal.begin(), personal.end()};
            for (const auto& [name, value] : shared) known.push_back(name);
            complaint->expected = list_of(std::move(known));
        }
        return fail(Errc::template_invalid,
                    fmt::format("render {}:{}:{}: {}: expected {}", localised->files[place],
                                complaint->position.line, complaint->position.column,
                                complaint->found, complaint->expected));
    }
    return content;
}

}  // namespace fanfare
