#include "core/wire/csv.hpp"

#include <algorithm>

namespace fanfare {
namespace {

/// Whether a formula begins here, perhaps behind apostrophes: those count, so that what had one
/// before is read as it was written.
bool needs_guard(std::string_view field) noexcept {
    const auto at = field.find_first_not_of('\'');
    return at != std::string_view::npos &&
           std::string_view{"=+-@\t\r\n"}.find(field[at]) != std::string_view::npos;
}

bool needs_quotes(std::string_view field) noexcept {
    return field.find_first_of(",;\t\"\r\n") != std::string_view::npos ||
           std::any_of(unicode_line_ends.begin(), unicode_line_ends.end(),
                       [field](auto end) { return field.find(end) != std::string_view::npos; });
}

}  // namespace

void drop_guard(std::string& field) {
    if (field.starts_with('\'') && needs_guard(field)) field.erase(0, 1);
}

void append_csv(std::string_view field, std::string& out) {
    const std::string_view guard = needs_guard(field) ? "'" : "";
    if (!needs_quotes(field)) {
        out.append(guard).append(field);
        return;
    }
    out.append("\"").append(guard);
    for (const char c : field) {
        if (c == '"') out.push_back('"');
        out.push_back(c);
    }
    out.push_back('"');
}

}  // namespace fanfare
