#include "cli/known_words.hpp"

#include "core/settings/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fanfare::cli {
namespace {

struct Word {
    std::string_view typed;
    std::string_view meant;
};

// What people type who come from other tools.
constexpr std::array<Word, 20> others{{
    {"help", "--help"},
    {"version", "--version"},
    {"send", "publish"},
    {"notify", "publish"},
    {"retry", "replay"},
    {"create", "publish"},
    {"resend", "replay"},
    {"jobs", "status"},
    {"list", "status"},
    {"show", "status"},
    {"ps", "status"},
    {"stop", "cancel"},
    {"migrate", "db migrate"},
    {"check", "config check"},
    {"validate", "config check"},
    {"import", "suppress import"},
    {"export", "suppress export"},
    {"letters", "dead list"},
    {"schedule", "notifications"},
    {"compare", "audit"},
}};

}  // namespace

std::string unknown_command(std::string_view group, std::string_view word,
                            const std::vector<std::string>& known) {
    const auto behind = group.empty() ? std::string{} : fmt::format("{} ", group);
    std::string meant = nearest(word, known);
    const auto* const other = std::find_if(others.begin(), others.end(),
                                           [word](const auto& each) { return each.typed == word; });
    if (group.empty() && other != others.end()) meant = other->meant;
    const auto advice = meant.empty() ? fmt::format("fanfare {}--help lists them", behind)
                                      : fmt::format("did you mean fanfare {}{}?", behind, meant);
    return fmt::format("unknown command {}{}; {}", behind, one_line(word), advice);
}

}  // namespace fanfare::cli
