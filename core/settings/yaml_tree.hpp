#pragma once

#include "core/settings/report.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// A key of a YAML map, and where it stands.
struct YamlKey {
    std::string text;
    int line = 0;
};

/// One value of a YAML document that remembers its line. Ours, so that yaml-cpp stays in
/// one file, keys keep their order, and repeated keys are seen.
struct YamlValue {
    enum class Shape : std::uint8_t { null, scalar, list, map };

    Shape shape = Shape::null;
    std::string text;              // Of a scalar.
    bool quoted = false;           // Written in quotes or as a block: text, never a number.
    bool block = false;            // Written after "|" or ">": the text begins a line later.
    int line = 0;                  // 1-based.
    int column = 0;                // 1-based: of its first character or quote.
    std::vector<YamlKey> keys;     // Of a map: keys[i] belongs to items[i].
    std::vector<YamlValue> items;  // Of a list or a map.

    [[nodiscard]] const YamlValue* find(std::string_view key) const;
    [[nodiscard]] bool is_map() const { return shape == Shape::map; }
    [[nodiscard]] bool is_list() const { return shape == Shape::list; }
    [[nodiscard]] bool is_scalar() const { return shape == Shape::scalar; }
    [[nodiscard]] bool is_null() const { return shape == Shape::null; }

    /// What a Problem shows: the scalar's text, or "(a list)" and the like.
    [[nodiscard]] std::string shown() const;
};

/// Reads one document of at most 1 MiB. Anchors, aliases, tags and keys that are not
/// scalars are refused: nobody needs them here, and they let a small file grow without
/// bound. Repeated keys are reported, and the first one counts. Nothing when there is no
/// document to go on with; an empty file is an empty map.
[[nodiscard]] std::optional<YamlValue> parse_yaml(std::string_view text, Report& report);

}  // namespace fanfare
