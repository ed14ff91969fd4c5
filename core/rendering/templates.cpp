#include "core/rendering/templates.hpp"

#include "core/rendering/template_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fanfare {
namespace {

bool contains(std::span<const std::string> names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

/// A job's names of data are its publisher's choice, and what is said here is logged: they are left
/// out.
std::string list_of_data_and(std::span<const std::string> personal) {
    constexpr std::string_view data{"a variable of the job's data"};
    if (personal.empty()) return std::string{data};
    std::vector<std::string> names{personal.begin(), personal.end()};
    sort_unique(names);
    return fmt::format("{}, or one of the person's: {}", data, fmt::join(names, ", "));
}

}  // namespace

std::variant<Templates, Problems> Templates::load(const std::filesystem::path& dir) {
    auto read = read_template_files(dir);
    if (auto* problems = std::get_if<Problems>(&read)) return std::move(*problems);
    return parse(std::get<std::vector<TemplateSource>>(read), dir);
}

std::variant<Templates, Problems> Templates::parse(std::span<const TemplateSource> sources,
                                                   const std::filesystem::path& origin) {
    auto set = std::make_shared<TemplateSet>();
    Problems problems;
    for (const auto& source : sources) {
        const auto file = (origin / source.path).string();
        const auto name = parse_template_name(source.path);
        if (const auto* expected = std::get_if<std::string>(&name)) {
            problems.push_back({file, 0, "file name", source.path, *expected});
        } else {
            set->add(std::get<TemplateName>(name), source, file, problems);
        }
    }
    set->find_missing(origin, problems);
    if (!problems.empty()) return problems;
    return Templates{std::move(set)};
}

Templates::Templates() : set_{std::make_shared<TemplateSet>()} {}

Templates Templates::with_own(std::string_view folder, const OwnParts& own, std::string_view origin,
                              Problems& problems) const {
    TemplateSet mine;
    for (const auto& [part, text] : own) {
        const auto file = fmt::format("{}{}", origin, part);
        const TemplateSource source{fmt::format("{}/{}.mustache", folder, part), text};
        const auto name = parse_template_name(source.path);
        if (std::holds_alternative<std::string>(name)) {
            problems.push_back({file, 0, "name", part,
                                "a name such as email.subject, sms.de.text or push.pt-BR.body"});
        } else if (const auto channel = std::get<TemplateName>(name).channel;
                   !has(folder, channel)) {
            problems.push_back({file, 0, "channel", std::string{to_string(channel)},
                                "a channel that the kind has templates for"});
        } else {
            mine.add(std::get<TemplateName>(name), source, file, problems);
        }
    }
    auto set = std::make_shared<TemplateSet>();
    const auto shipped = set_->folders.find(folder);
    if (shipped == set_->folders.end()) return Templates{std::move(set)};
    auto& by_channel = set->folders[std::string{folder}] = shipped->second;
    for (const auto& [name, owned] : mine.folders) {
        for (const auto channel : channels) {
            const auto i = static_cast<std::size_t>(channel);
            for (const auto& localised : owned[i]) {
                localised->is_own = true;
                for (const auto& part : list_parts(channel)) {
                    if (!part.required || !localised->files[part.place].empty()) continue;
                    problems.push_back(
                        {fmt::format("{}{}", origin, part_name(channel, localised->name, part)), 0,
                         "part", "", "this one too: a text takes the shipped one's place whole"});
                }
                std::erase_if(by_channel[i],
                              [&](const auto& each) { return each->key == localised->key; });
                by_channel[i].push_back(localised);
            }
        }
    }
    return Templates{std::move(set)};
}

bool Templates::has(std::string_view folder, Channel channel) const {
    return set_->find(folder, channel) != nullptr;
}

std::vector<std::string> Templates::variables(std::string_view folder, Channel channel) const {
    std::vector<std::string> names;
    if (const auto* locales = set_->find(folder, channel)) {
        for (const auto& localised : *locales) {
            names.insert(names.end(), localised->names.begin(), localised->names.end());
        }
    }
    sort_unique(names);
    return names;
}

std::vector<std::string> Templates::needed_variables(std::string_view folder,
                                                     Channel channel) const {
    std::vector<std::string> names;
    if (const auto* locales = set_->find(folder, channel)) {
        for (const auto& localised : *locales) {
            for (const auto& part : localised->parts) {
                if (!part) continue;
                part->each_needed(
                    [&](std::uint16_t index) { names.push_back(localised->names[index]); });
            }
        }
    }
    sort_unique(names);
    return names;
}

Problems Templates::list_places(std::string_view folder, Channel channel,
                                std::string_view name) const {
    Problems places;
    const auto* locales = set_->find(folder, channel);
    if (locales == nullptr) return places;
    for (const auto& localised : *locales) {
        for (std::size_t place = 0; place < part_places; ++place) {
            if (!localised->parts[place]) continue;
            bool is_found = false;
            localised->parts[place]->each_use([&](std::uint16_t index, const Position& position) {
                if (is_found || localised->names[index] != name) return;
                is_found = true;
                places.push_back(localised->to_problem(place, {position, "", ""}));
            });
        }
    }
    return places;
}

std::vector<std::string> Templates::locales(std::string_view folder, Channel channel) const {
    std::vector<std::string> names;
    if (const auto* locales = set_->find(folder, channel)) {
        for (const auto& localised : *locales) names.push_back(localised->name);
    }
    return names;
}

const Localised* Templates::find(std::string_view folder, Channel channel,
                                 std::string_view locale) const {
    const auto* locales = set_->find(folder, channel);
    if (locales == nullptr) return nullptr;
    for (auto key = locale_key(locale);;) {
        if (const auto* found = find_locale(*locales, key)) return found;
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

Problems Templates::check(std::string_view folder, Channel channel,
                          std::span<const std::string> shared_names,
                          std::span<const std::string> personal_names) const {
    const auto* locales = set_->find(folder, channel);
    if (locales == nullptr) {
        return {{std::string{folder}, 0, "channel", std::string{to_string(channel)},
                 "a folder of templates that serves this channel"}};
    }
    Problems problems;
    for (const auto& localised : *locales) {
        std::vector<VariableStanding> standings;
        for (const auto& name : localised->names) {
            standings.push_back(contains(personal_names, name) ? VariableStanding::personal
                                : contains(shared_names, name) ? VariableStanding::shared
                                                               : VariableStanding::unknown);
        }
        const auto found = localised->check(standings, list_of_data_and(personal_names));
        problems.insert(problems.end(), found.begin(), found.end());
    }
    return problems;
}

Problems Templates::review(std::string_view folder, Channel channel,
                           const KnownVariables& known) const {
    auto all = known.shared;
    all.insert(all.end(), known.personal.begin(), known.personal.end());
    all.insert(all.end(), known.optional.begin(), known.optional.end());
    Problems problems;
    const auto* locales = set_->find(folder, channel);
    if (locales == nullptr) return problems;
    for (const auto& localised : *locales) {
        if (!localised->is_own) continue;
        std::vector<VariableStanding> standings;
        std::vector<VariableStanding> given;
        for (const auto& name : localised->names) {
            const auto standing = contains(known.personal, name)   ? VariableStanding::personal
                                  : contains(known.shared, name)   ? VariableStanding::shared
                                  : contains(known.optional, name) ? VariableStanding::optional
                                                                   : VariableStanding::foreign;
            standings.push_back(standing);
            given.push_back(standing == VariableStanding::personal ? standing
                                                                   : VariableStanding::shared);
        }
        auto found = localised->check(standings, list_of_known(all));
        if (found.empty()) found = localised->measure(channel, given);
        problems.insert(problems.end(), found.begin(), found.end());
    }
    return problems;
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
            bindings[i] = {VariableStanding::personal, nullptr,
                           static_cast<std::uint16_t>(content.variables.size())};
            content.variables.push_back(name);
            content.links.push_back(localised->begins_links(i));
        } else if (const auto found = shared.find(name); found != shared.end()) {
            bindings[i] = {VariableStanding::shared, &found->second, 0};
        }
    }
    const std::array<Text*, part_places> texts{&content.subject, &content.text, &content.html};
    for (std::size_t place = 0; place < part_places; ++place) {
        if (!localised->parts[place]) continue;
        auto complaint = localised->parts[place]->run(localised->names, bindings,
                                                      output_bytes_max(place), *texts[place]);
        if (!complaint) continue;
        if (complaint->expected.empty()) {
            complaint->expected = list_of_data_and(personal);
        }
        const auto problem = localised->to_problem(place, *complaint);
        return fail(Errc::template_invalid,
                    fmt::format("render {}:{}:{}: {}: expected {}", problem.file, problem.line,
                                problem.column, problem.value, problem.expected));
    }
    return content;
}

}  // namespace fanfare
