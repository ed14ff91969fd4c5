#include "core/settings/yaml_tree.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <map>
#include <sstream>

namespace fanfare {
namespace {

constexpr std::size_t bytes_max = 1U << 20U;

/// Builds the tree from the parser's events. A refusal travels as the parser's own
/// exception, which carries the place.
class TreeBuilder final : public YAML::EventHandler {
public:
    explicit TreeBuilder(std::string_view source) : source_{source} {}

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        add(made(YamlValue::Shape::null, mark, anchor, ""), mark);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw YAML::ParserException{mark, "aliases are not supported: write the value out"};
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override {
        auto value = made(YamlValue::Shape::scalar, mark, anchor, tag);
        value.text = text;
        value.quoted = tag == "!";
        const auto at = static_cast<std::size_t>(mark.pos);
        value.block =
            value.quoted && at < source_.size() && (source_[at] == '|' || source_[at] == '>');
        add(std::move(value), mark);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(made(YamlValue::Shape::list, mark, anchor, tag), mark);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(made(YamlValue::Shape::map, mark, anchor, tag), mark);
    }
    void OnMapEnd() override { close(); }

    [[nodiscard]] YamlValue take() { return std::move(root_); }

private:
    static YamlValue made(YamlValue::Shape shape, const YAML::Mark& mark, YAML::anchor_t anchor,
                          std::string_view tag) {
        if (anchor != YAML::NullAnchor) {
            throw YAML::ParserException{mark, "anchors are not supported: write the value out"};
        }
        if (!tag.empty() && tag != "?" && tag != "!") {
            throw YAML::ParserException{mark, "tags are not supported"};
        }
        YamlValue value;
        value.shape = shape;
        value.line = mark.line + 1;
        value.column = mark.column + 1;
        return value;
    }

    [[nodiscard]] bool wants_key() const {
        return !open_.empty() && open_.back().is_map() &&
               open_.back().keys.size() == open_.back().items.size();
    }

    void add(YamlValue value, const YAML::Mark& mark) {
        if (wants_key()) {
            if (!value.is_scalar()) throw YAML::ParserException{mark, "a key must be plain text"};
            open_.back().keys.push_back({std::move(value.text), value.line});
        } else if (open_.empty()) {
            root_ = std::move(value);
        } else {
            open_.back().items.push_back(std::move(value));
        }
    }

    void open(YamlValue value, const YAML::Mark& mark) {
        if (wants_key()) throw YAML::ParserException{mark, "a key must be plain text"};
        open_.push_back(std::move(value));
    }

    void close() {
        auto value = std::move(open_.back());
        open_.pop_back();
        add(std::move(value), {});
    }

    std::string_view source_;
    std::vector<YamlValue> open_;
    YamlValue root_;
};

void drop_repeated_keys(YamlValue& value, const std::string& path, Report& report) {
    std::map<std::string, int> first_lines;
    std::vector<YamlKey> keys;
    std::vector<YamlValue> items;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
        const auto name = value.is_map() ? value.keys[i].text : std::string{};
        const auto inner = value.is_map() ? join_key(path, name) : fmt::format("{}[{}]", path, i);
        if (value.is_map()) {
            const auto [first, is_new] = first_lines.emplace(name, value.keys[i].line);
            if (!is_new) {
                report.add(
                    value.keys[i].line, inner, "(repeated key)",
                    fmt::format("each key once; it stands in line {} already", first->second));
                continue;
            }
            keys.push_back(std::move(value.keys[i]));
        }
        drop_repeated_keys(value.items[i], inner, report);
        items.push_back(std::move(value.items[i]));
    }
    value.keys = std::move(keys);
    value.items = std::move(items);
}

void add_fault(Report& report, const YAML::Mark& mark, const std::string& fault) {
    Problem problem{report.file, 0, "(document)", "(not readable)", "valid YAML: " + fault};
    if (!mark.is_null()) {
        problem.line = mark.line + 1;
        problem.column = mark.column + 1;
    }
    report.problems.push_back(std::move(problem));
}

}  // namespace

const YamlValue* YamlValue::find(std::string_view key) const {
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i].text == key) return &items[i];
    }
    return nullptr;
}

std::string YamlValue::shown() const {
    switch (shape) {
        case Shape::null:
            return "(nothing)";
        case Shape::scalar:
            return text;
        case Shape::list:
            return "(a list)";
        case Shape::map:
            return "(a map)";
    }
    return "?";
}

std::optional<YamlValue> parse_yaml(std::string_view text, Report& report) {
    if (text.size() > bytes_max) {
        report.add(0, "(document)", fmt::format("{} bytes", text.size()), "at most 1 MiB");
        return std::nullopt;
    }
    try {
        std::istringstream stream{std::string{text}};
        YAML::Parser parser{stream};
        TreeBuilder builder{text};
        const bool found = parser.HandleNextDocument(builder);
        auto root = builder.take();
        if (!found || root.is_null()) root.shape = YamlValue::Shape::map;
        if (!root.is_map()) {
            report.add(root.line, "(document)", root.shown(), "a map of keys and values");
            return std::nullopt;
        }
        drop_repeated_keys(root, "", report);
        TreeBuilder second{text};
        if (parser.HandleNextDocument(second)) {
            report.add(second.take().line, "(document)", "(a second document)",
                       "a single document");
        }
        return root;
    } catch (const YAML::Exception& fault) {
        add_fault(report, fault.mark, fault.msg);
    } catch (const std::exception& fault) {
        // yaml-cpp lets a few faults of the standard library escape on hostile bytes.
        add_fault(report, YAML::Mark::null_mark(), fault.what());
    }
    return std::nullopt;
}

}  // namespace fanfare
