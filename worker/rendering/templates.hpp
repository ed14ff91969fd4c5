#pragma once

#include "core/domain/words.hpp"
#include "core/error/failure.hpp"
#include "core/settings/problem.hpp"
#include "worker/rendering/content.hpp"
#include "worker/rendering/template_files.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fanfare {

// Of a rendered part, slots not counted. Gmail cuts a mail's HTML at 102 KB.
inline constexpr std::size_t part_bytes_max = 262'144;
inline constexpr std::size_t html_bytes_max = 102'400;

/// All templates of a directory, parsed and checked when loaded.
///
/// Shared values are written into the text and escaped once; a personal variable becomes a
/// slot. Values are never read as template text. docs/templates.md tells what a template
/// may say.
///
/// Bounds    part_bytes_max and html_bytes_max on output; compiler.hpp on input. Nothing is
///           cached, so memory does not grow with use.
/// Threads   immutable after load(); shared freely. Copies share one set of templates.
/// Lifetime  resolve_locale() gives a view into it; everything else owns its values.
class Templates {
public:
    /// Reads and checks every file. Finds every problem before it returns; each names its
    /// file, line and column.
    [[nodiscard]] static std::variant<Templates, Problems> load(const std::filesystem::path& dir);

    /// The same from memory. `origin` goes before each path in messages.
    [[nodiscard]] static std::variant<Templates, Problems> parse(
        std::span<const TemplateSource> sources, const std::filesystem::path& origin = {});

    [[nodiscard]] bool has(std::string_view folder, Channel channel) const;

    /// All variable names that the templates of (folder, channel) use, over all locales and
    /// parts; sorted.
    [[nodiscard]] std::vector<std::string> variables(std::string_view folder,
                                                     Channel channel) const;

    /// The locale whose templates would be used: "pt-BR" -> "pt" -> "". Spelled as its files.
    [[nodiscard]] std::string_view resolve_locale(std::string_view folder, Channel channel,
                                                  std::string_view locale) const;

    /// Why render() could fail with such variables, whatever their values and the locale: for
    /// the planner, so that nothing fails in the middle of sending. Names in both lists are
    /// personal.
    [[nodiscard]] std::optional<Problem> check(std::string_view folder, Channel channel,
                                               std::span<const std::string> shared_names,
                                               std::span<const std::string> personal_names) const;

    /// Renders what is shared. `shared`: the job's variables. `personal`: names of variables
    /// that differ by person; they become slots, and win over shared ones of the same name.
    /// Content::variables holds those that are used, in order of first use.
    [[nodiscard]] Result<Content> render(std::string_view folder, Channel channel,
                                         std::string_view locale,
                                         const std::map<std::string, std::string>& shared,
                                         std::span<const std::string> personal) const;

private:
    struct Shelf;
    struct Localised;
    explicit Templates(std::shared_ptr<const Shelf> shelf) : shelf_{std::move(shelf)} {}
    [[nodiscard]] const Localised* find(std::string_view folder, Channel channel,
                                        std::string_view locale) const;

    std::shared_ptr<const Shelf> shelf_;
};

}  // namespace fanfare
