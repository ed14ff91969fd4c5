#include "core/settings/report.hpp"

#include "core/domain/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace fanfare {
namespace {

// Levenshtein distance in one row. Words are keys: short.
std::size_t distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < from.size(); ++i) {
        auto diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < to.size(); ++j) {
            const auto replaced = diagonal + (from[i] == to[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

}  // namespace

void Report::add(int line, const std::string& key, std::string_view value, std::string expected) {
    const auto shown = value.empty() ? std::string{"\"\""} : one_line(value);
    problems.push_back({file, line, key, shown, std::move(expected)});
}

void Report::missing(int line, const std::string& key, std::string expected) {
    problems.push_back({file, line, key, "", std::move(expected)});
}

void Report::unknown(int line, const std::string& key, const std::vector<std::string>& known) {
    const auto meant = nearest(key, known);
    add(line, one_line(key), "(unknown key)",
        meant.empty() ? "a known key (docs/configuration.md lists them all)"
                      : fmt::format("a known key; did you mean {}?", meant));
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
    constexpr std::size_t word_bytes_max = 200;
    if (word.size() > word_bytes_max) return {};
    std::string best;
    auto least = word.size() / 3 + 2;
    for (const auto& candidate : known) {
        const auto apart = distance(word, candidate);
        if (apart < least) {
            least = apart;
            best = candidate;
        }
    }
    return best;
}

std::string one_line(std::string_view text, std::size_t bytes_max) {
    const bool cut = text.size() > bytes_max;
    if (cut) {
        // Not in the middle of a character: the bytes after its first begin with 10.
        while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0U) == 0x80U) {
            --bytes_max;
        }
        text = text.substr(0, bytes_max);
    }
    auto line = printable(text, ' ');
    if (cut) line += "...";
    return line;
}

std::string join_key(std::string_view front, std::string_view back) {
    if (front.empty()) return std::string{back};
    if (back.empty()) return std::string{front};
    return fmt::format("{}.{}", front, back);
}

}  // namespace fanfare
