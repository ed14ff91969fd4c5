#pragma once

#include "core/settings/settings.hpp"
#include "core/settings/text_rules.hpp"
#include "core/settings/yaml_tree.hpp"

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

namespace fanfare {

enum class ScalarShape : std::uint8_t { text, number, flag };  // Of a value in the file.

/// One scalar key: its name, what it may hold, and where it goes.
template <class Target>
struct Row {
    SettingDoc about;
    ScalarShape shape;
    std::function<bool(Target&, const std::string&)> store;  // False: out of bounds.
};

/// One key that is no scalar, with a reader of its own.
template <class Target>
struct Special {
    SettingDoc about;
    std::function<void(Target&, const YamlValue&, const std::string& key, Report&)> read;
};

/// All keys that a map of YAML may hold, nested ones dotted ("rate.per_second").
template <class Target>
struct Form {
    std::vector<Row<Target>> rows;
    std::vector<Special<Target>> specials;

    [[nodiscard]] std::vector<std::string> keys(const std::string& root) const {
        std::vector<std::string> all;
        for (const auto& row : rows) all.push_back(join_key(root, row.about.key));
        for (const auto& special : specials) all.push_back(join_key(root, special.about.key));
        return all;
    }

    /// "rate" when some key begins with "rate.".
    [[nodiscard]] bool has_section(const std::string& name) const {
        for (const auto& key : keys("")) {
            if (key.starts_with(name + ".")) return true;
        }
        return false;
    }
};

/// The keys of `known` and the sections they stand in: what a misspelt key may have meant.
[[nodiscard]] std::vector<std::string> with_sections(const std::vector<std::string>& known);

/// True when the value has the shape; otherwise the report says what stands there.
bool expect_map(const YamlValue& value, const std::string& key, Report& report);
bool expect_list(const YamlValue& value, const std::string& key, Report& report);
/// The scalar's text, or nothing and a problem.
[[nodiscard]] const std::string* expect_text(const YamlValue& value, const std::string& key,
                                             const TextRule& rule, Report& report);

/// Reads a map into `target` by its form, and reports every key that is not in it.
///
/// Lifetime  everything it was given outlives it; made, used and dropped in one line.
template <class Target>
class FormReader {
public:
    FormReader(Target& target, const Form<Target>& form, std::string root, Report& report)
        : target_{target}, form_{form}, root_{std::move(root)}, report_{report} {}

    void read(const YamlValue& map) { read_section(map, ""); }

private:
    void read_section(const YamlValue& map, const std::string& section) {
        // "worker:" with nothing below it leaves all its defaults.
        if (map.is_null() && !section.empty()) return;
        if (!expect_map(map, join_key(root_, section), report_)) return;
        for (std::size_t i = 0; i < map.items.size(); ++i) {
            read_entry(map.keys[i], map.items[i], section);
        }
    }

    void read_entry(const YamlKey& key, const YamlValue& value, const std::string& section) {
        const auto name = join_key(section, key.text);
        const auto full = join_key(root_, name);
        const bool nested = key.text.empty() || key.text.find('.') != std::string::npos;
        for (const auto& row : form_.rows) {
            if (!nested && row.about.key == name) return read_row(row, value, full);
        }
        for (const auto& special : form_.specials) {
            if (!nested && special.about.key == name) {
                return special.read(target_, value, full, report_);
            }
        }
        if (!nested && form_.has_section(name)) return read_section(value, name);
        report_.unknown(key.line, full, with_sections(form_.keys(root_)));
    }

    void read_row(const Row<Target>& row, const YamlValue& value, const std::string& full) {
        const bool fits = value.is_scalar() && (row.shape == ScalarShape::text || !value.quoted) &&
                          row.store(target_, value.text);
        if (!fits) report_.add(value.line, full, value.shown(), row.about.bounds);
    }

    Target& target_;
    const Form<Target>& form_;
    std::string root_;
    Report& report_;
};

/// Bounds of a number, both included.
struct Range {
    std::int64_t min;
    std::int64_t max;
};

/// Name, unit and meaning of a key; the rest of its documentation follows from its row.
struct Naming {
    std::string key;
    std::string unit;
    std::string doc;
};

template <class Number>
[[nodiscard]] std::int64_t to_count(Number number) {
    if constexpr (std::is_arithmetic_v<Number>) {
        return static_cast<std::int64_t>(number);
    } else {
        return static_cast<std::int64_t>(number.count());
    }
}

/// A whole number or a duration. `field` names the member: [](auto& s) -> auto& {...}.
template <class Target, class Field>
[[nodiscard]] Row<Target> whole(Naming naming, Range range, Field field) {
    Target defaults{};
    using Number = std::remove_cvref_t<decltype(field(defaults))>;
    const auto bounds = fmt::format("a whole number from {} to {}", range.min, range.max);
    const auto fallback = std::to_string(to_count(field(defaults)));
    return {{naming.key, naming.unit, bounds, fallback, naming.doc},
            ScalarShape::number,
            [=](Target& target, const std::string& text) {
                const auto number = parse_whole(text);
                if (!number || *number < range.min || *number > range.max) return false;
                field(target) = static_cast<Number>(*number);
                return true;
            }};
}

template <class Target, class Field>
[[nodiscard]] Row<Target> real(Naming naming, Range range, Field field) {
    Target defaults{};
    const auto bounds = fmt::format("a number from {} to {}", range.min, range.max);
    return {{naming.key, naming.unit, bounds, fmt::format("{}", field(defaults)), naming.doc},
            ScalarShape::number,
            [=](Target& target, const std::string& text) {
                const auto number = parse_real(text);
                if (!number || *number < static_cast<double>(range.min) ||
                    *number > static_cast<double>(range.max)) {
                    return false;
                }
                field(target) = *number;
                return true;
            }};
}

template <class Target, class Field>
[[nodiscard]] Row<Target> flag(Naming naming, Field field) {
    Target defaults{};
    return {
        {naming.key, naming.unit, "true or false", field(defaults) ? "true" : "false", naming.doc},
        ScalarShape::flag,
        [=](Target& target, const std::string& text) {
            const auto truth = parse_flag(text);
            if (truth) field(target) = *truth;
            return truth.has_value();
        }};
}

/// Text or a path.
template <class Target, class Field>
[[nodiscard]] Row<Target> words(Naming naming, TextRule rule, Field field) {
    Target defaults{};
    const std::filesystem::path fallback{field(defaults)};
    return {{naming.key, naming.unit, rule.bounds, fallback.string(), naming.doc},
            ScalarShape::text,
            [=](Target& target, const std::string& text) {
                if (!rule.accepts(text)) return false;
                field(target) = text;
                return true;
            }};
}

/// A word of a closed vocabulary. `parse` gives an optional of the member's type.
template <class Target, class Parse, class Field>
[[nodiscard]] Row<Target> choice(SettingDoc about, Parse parse, Field field) {
    return {std::move(about), ScalarShape::text, [=](Target& target, const std::string& text) {
                const auto value = parse(text);
                if (value) field(target) = *value;
                return value.has_value();
            }};
}

}  // namespace fanfare
