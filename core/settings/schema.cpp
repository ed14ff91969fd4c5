#include "core/settings/schema.hpp"

#include <set>

namespace fanfare {

std::vector<std::string> with_sections(const std::vector<std::string>& known) {
    std::set<std::string> all{known.begin(), known.end()};
    for (const auto& key : known) {
        for (auto dot = key.find('.'); dot != std::string::npos; dot = key.find('.', dot + 1)) {
            all.insert(key.substr(0, dot));
        }
    }
    return {all.begin(), all.end()};
}

bool expect_map(const YamlValue& value, const std::string& key, Report& report) {
    if (!value.is_map()) report.add(value.line, key, value.shown(), "a map of keys and values");
    return value.is_map();
}

bool expect_list(const YamlValue& value, const std::string& key, Report& report) {
    if (!value.is_list()) report.add(value.line, key, value.shown(), "a list");
    return value.is_list();
}

const std::string* expect_text(const YamlValue& value, const std::string& key, const TextRule& rule,
                               Report& report) {
    if (value.is_scalar() && rule.accepts(value.text)) return &value.text;
    report.add(value.line, key, value.shown(), rule.bounds);
    return nullptr;
}

}  // namespace fanfare
