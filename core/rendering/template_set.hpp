#pragma once

#include "core/rendering/program.hpp"
#include "core/rendering/template_files.hpp"

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// The parts of one channel in one locale. They share a table of variable names.
struct Localised {
    std::string key;   // locale_key().
    std::string name;  // As in the file names.
    std::vector<std::string> names;
    std::array<std::optional<Program>, part_places> parts;
    std::array<std::string, part_places> files;
    std::vector<std::string> origins;  // What Position::file counts, from 1.
    bool is_own = false;               // An owner's, not a shipped one.

    /// What is wrong with the part at `place`, or a place in it.
    [[nodiscard]] Problem to_problem(std::size_t place, const Complaint& complaint) const;

    /// What the parts have against variables of these standings; `known` is expected where one is
    /// unknown.
    [[nodiscard]] Problems check(std::span<const VariableStanding> standings,
                                 const std::string& known) const;

    /// Whether a URL begins with a variable, unless it is a link that we make.
    [[nodiscard]] bool begins_links(std::size_t variable) const;

    /// Which parts are too long even with short values for all variables.
    [[nodiscard]] Problems measure(Channel channel,
                                   std::span<const VariableStanding> standings) const;
};

/// What Templates are made of: Localised by folder and channel.
///
/// Threads   one until it is done; then immutable.
struct TemplateSet {
    using Locales = std::vector<std::shared_ptr<Localised>>;

    std::map<std::string, std::array<Locales, channel_count>, std::less<>> folders;

    [[nodiscard]] const Locales* find(std::string_view folder, Channel channel) const;

    void add(const TemplateName& name, const TemplateSource& source, const std::string& file,
             Problems& problems);

    /// Complains of files without which a reader might get nothing.
    void find_missing(const std::filesystem::path& origin, Problems& problems) const;
};

/// The one of a locale_key(); null where there is none.
[[nodiscard]] Localised* find_locale(const TemplateSet::Locales& locales, std::string_view key);

[[nodiscard]] std::size_t output_bytes_max(std::size_t place) noexcept;

/// "one of the known variables: name, title".
[[nodiscard]] std::string list_of_known(std::vector<std::string> names);

void sort_unique(std::vector<std::string>& names);

}  // namespace fanfare
