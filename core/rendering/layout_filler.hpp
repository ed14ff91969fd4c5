#pragma once

#include "core/rendering/template_files.hpp"
#include "core/settings/problem.hpp"
#include "core/settings/yaml_tree.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// Where names are looked up: a map of a file.
struct LayoutScope {
    const YamlValue* map = nullptr;
    const std::string* path = nullptr;
};

/// What is looked for while a folder's messages are written.
struct Lookups {
    std::set<const YamlValue*> found;
    std::vector<std::string> names;

    const YamlValue* find(const YamlValue& map, std::string_view name) {
        const auto* const value = map.find(name);
        if (value != nullptr) found.insert(value);
        return value;
    }
};

/// One message in one locale.
struct LayoutMessage {
    std::string folder;
    std::string locale;               // Of its file of strings: "en".
    std::string in_file_names;        // "" for the default.
    std::vector<LayoutScope> scopes;  // The innermost last.
    Lookups* lookups = nullptr;
};

/// Fills the holes of a layout; what the strings lack goes to `problems`.
[[nodiscard]] TemplateSource fill_layout(const LayoutMessage& message, const TemplateSource& layout,
                                         bool is_html, std::string path, Problems& problems);

}  // namespace fanfare
