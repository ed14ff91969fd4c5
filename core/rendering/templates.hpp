#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/error/failure.hpp"
#include "core/rendering/content.hpp"
#include "core/rendering/template_files.hpp"
#include "core/settings/problem.hpp"

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
inline constexpr std::size_t sms_segments_max = 10;  // No provider takes longer texts.

/// An owner's texts of one kind, by the names that their files would have without the suffix:
/// "email.de.subject".
using OwnParts = std::map<std::string, std::string>;
inline constexpr std::size_t own_parts_max = 200;
inline constexpr std::size_t own_bytes_max = 262'144;  // Of all texts together.

/// What an owner's texts may speak of on one channel.
struct KnownVariables {
    std::vector<std::string> shared;    // Every job of the kind has these.
    std::vector<std::string> personal;  // Differ from person to person.
    std::vector<std::string> optional;  // Some jobs have these: for sections that ask for them.
};

struct Localised;
struct TemplateSet;

/// All templates of a directory, parsed and checked when loaded.
///
/// Shared values are written into the text and escaped once; a personal variable becomes a
/// slot. Values are never read as template text. docs/templates.md tells what a template
/// may say.
///
/// Bounds    part_bytes_max and html_bytes_max on output; compiler.hpp on input. Nothing is
///           cached, so memory does not grow with use.
/// Threads   immutable once made; shared freely. Copies share one set of templates.
/// Lifetime  resolve_locale() gives a view into it; everything else owns its values.
class Templates {
public:
    /// None.
    Templates();

    /// Reads and checks every file. Finds every problem before it returns; each names its
    /// file, line and column.
    [[nodiscard]] static std::variant<Templates, Problems> load(const std::filesystem::path& dir);

    /// The same from memory. `origin` goes before each path in messages.
    [[nodiscard]] static std::variant<Templates, Problems> parse(
        std::span<const TemplateSource> sources, const std::filesystem::path& origin = {});

    /// The templates of `folder` alone, with an owner's texts in the places of those of the same
    /// channel and locale, whole: the parts of one text are all the owner's. What is wrong goes to
    /// `problems` (`origin` before the name of the part) and is left out of the result, which
    /// serves for nothing but review() then.
    [[nodiscard]] Templates with_own(std::string_view folder, const OwnParts& own,
                                     std::string_view origin, Problems& problems) const;

    [[nodiscard]] bool has(std::string_view folder, Channel channel) const;

    /// All variable names that the templates of (folder, channel) use, over all locales and
    /// parts; sorted.
    [[nodiscard]] std::vector<std::string> variables(std::string_view folder,
                                                     Channel channel) const;

    /// Those of them that every job must have: written by some text whatever else the job has.
    [[nodiscard]] std::vector<std::string> needed_variables(std::string_view folder,
                                                            Channel channel) const;

    /// Where a variable is written or asked for: the first place of each file, without a value and
    /// what is expected.
    [[nodiscard]] Problems list_places(std::string_view folder, Channel channel,
                                       std::string_view name) const;

    /// The locales of (folder, channel) as their files spell them; "" is the default.
    [[nodiscard]] std::vector<std::string> locales(std::string_view folder, Channel channel) const;

    /// The locale whose templates would be used: "pt-BR" -> "pt" -> "". Spelled as its files.
    [[nodiscard]] std::string_view resolve_locale(std::string_view folder, Channel channel,
                                                  std::string_view locale) const;

    /// Why render() could fail with such variables, whatever their values and the locale: for
    /// the planner, so that nothing fails in the middle of sending. Names in both lists are
    /// personal.
    [[nodiscard]] Problems check(std::string_view folder, Channel channel,
                                 std::span<const std::string> shared_names,
                                 std::span<const std::string> personal_names) const;

    /// What stands against saving an owner's texts of one channel: variables that no job has, or
    /// not every job, and texts that are too long even with short values. Stricter than check():
    /// what a section holds counts, whether the job has it or not.
    [[nodiscard]] Problems review(std::string_view folder, Channel channel,
                                  const KnownVariables& known) const;

    /// Renders what is shared. `shared`: the job's variables. `personal`: names of variables
    /// that differ by person; they become slots, and win over shared ones of the same name.
    /// Content::variables holds those that are used, in order of first use.
    [[nodiscard]] Result<Content> render(std::string_view folder, Channel channel,
                                         std::string_view locale,
                                         const std::map<std::string, std::string>& shared,
                                         std::span<const std::string> personal) const;

private:
    explicit Templates(std::shared_ptr<const TemplateSet> set) : set_{std::move(set)} {}
    [[nodiscard]] const Localised* find(std::string_view folder, Channel channel,
                                        std::string_view locale) const;

    std::shared_ptr<const TemplateSet> set_;
};

}  // namespace fanfare
