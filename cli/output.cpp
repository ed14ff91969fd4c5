#include "cli/output.hpp"

#include "core/domain/number.hpp"
#include "core/domain/printable.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace fanfare::cli {
namespace {

namespace json = boost::json;

struct ToJson {
    json::value operator()(const std::string& text) const { return json::string{text}; }
    json::value operator()(std::int64_t number) const { return number; }
    json::value operator()(double number) const {
        return std::isfinite(number) ? json::value(number) : json::value(nullptr);
    }
    json::value operator()(bool value) const { return value; }
    json::value operator()(const std::vector<std::string>& list) const {
        json::array array;
        for (const auto& text : list) array.emplace_back(json::string{text});
        return array;
    }
};

struct ToText {
    std::string operator()(const std::string& text) const { return printable(text); }
    std::string operator()(std::int64_t number) const { return grouped(number); }
    std::string operator()(double number) const { return fmt::format("{:.1f}", number); }
    std::string operator()(bool value) const { return value ? "yes" : "no"; }
    std::string operator()(const std::vector<std::string>& list) const {
        return (*this)(fmt::format("{}", fmt::join(list, ",")));
    }
};

std::size_t display_width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
    }));
}

bool is_number(const Cell& cell) {
    return std::holds_alternative<std::int64_t>(cell) || std::holds_alternative<double>(cell);
}

}  // namespace

std::string to_json(const Record& record) {
    json::object object;
    for (const auto& [name, cell] : record) object[name] = std::visit(ToJson{}, cell);
    // The serializer copies what is no UTF-8; this is where it becomes U+FFFD.
    return printable_json(json::serialize(object));
}

std::string to_text(const Cell& cell) { return std::visit(ToText{}, cell); }

std::string to_table(const std::vector<Record>& records) {
    if (records.empty()) return {};
    std::vector<std::vector<std::string>> lines(1);
    for (const auto& [name, cell] : records.front()) lines[0].push_back(name);
    for (const auto& record : records) {
        auto& line = lines.emplace_back();
        for (const auto& [name, cell] : record) line.push_back(std::visit(ToText{}, cell));
    }
    std::vector<std::size_t> widths(lines[0].size());
    for (const auto& line : lines) {
        for (std::size_t i = 0; i < widths.size(); ++i) {
            widths[i] = std::max(widths[i], display_width(line[i]));
        }
    }
    std::string table;
    for (const auto& line : lines) {
        std::string text;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const std::string space(widths[i] - display_width(line[i]), ' ');
            const bool right = is_number(records.front()[i].second);
            text += (i == 0 ? "" : "  ") + (right ? space + line[i] : line[i] + space);
        }
        text.erase(text.find_last_not_of(' ') + 1);
        table += text + "\n";
    }
    return table;
}

void print(const std::vector<Record>& records, bool json, std::string_view nothing) {
    if (json) {
        for (const auto& record : records) fmt::print("{}\n", to_json(record));
    } else if (records.empty()) {
        fmt::print("{}\n", nothing);
    } else {
        fmt::print("{}", to_table(records));
    }
}

void print_error(std::string_view lines) { fmt::print(stderr, "{}\n", printable_lines(lines)); }

std::string grouped(std::int64_t number) {
    auto digits = std::to_string(number);
    const std::ptrdiff_t first = number < 0 ? 1 : 0;
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > first; at -= 3) {
        digits.insert(static_cast<std::size_t>(at), 1, ',');
    }
    return digits;
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
    constexpr std::string_view units{"smhd"};
    constexpr std::array<std::int64_t, 4> seconds{1, 60, 3'600, 86'400};
    constexpr std::int64_t most = 10 * 366 * 86'400;
    if (text.size() < 2) return std::nullopt;
    const auto unit = units.find(text.back());
    const auto count = parse_number<std::int64_t>(text.substr(0, text.size() - 1));
    if (unit == std::string_view::npos || !count) return std::nullopt;
    if (*count < 1 || *count > most / seconds[unit]) return std::nullopt;
    return std::chrono::seconds{*count * seconds[unit]};
}

std::string format_duration(double seconds) {
    if (!std::isfinite(seconds) || seconds < 0) return "-";
    if (seconds < 10) return fmt::format("{:.1f}s", seconds);
    const auto whole = static_cast<std::int64_t>(std::llround(seconds));
    if (whole < 60) return fmt::format("{}s", whole);
    if (whole < 3600) return fmt::format("{}m {}s", whole / 60, whole % 60);
    if (whole < 86'400) return fmt::format("{}h {}m", whole / 3600, whole % 3600 / 60);
    return fmt::format("{}d {}h", whole / 86'400, whole % 86'400 / 3600);
}

}  // namespace fanfare::cli
