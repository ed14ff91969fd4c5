// Messages of many kinds and languages look alike. Their looks stand once, in a layout; what a kind
// says stands in one file a language, for translators. A layout is a template with holes that are
// filled when it is loaded: [[name]] is a string, [[#name]] ... [[/name]] stands for each of a
// list, or where there is such a string, [[^name]] ... [[/name]] where there is none. What comes
// out are templates like those that are written by hand, so whoever reads templates knows nothing
// of this.
#include "core/rendering/layout.hpp"

#include "core/rendering/layout_filler.hpp"
#include "core/settings/yaml_tree.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>

namespace fanfare {
namespace {

/// A YAML file that is read.
struct Tree {
    std::string path;
    YamlValue root;
};

/// Everything of a directory of templates that stands for messages.
class Expansion {
public:
    Expansion(std::span<const TemplateSource> files, const std::filesystem::path& origin,
              Problems& problems)
        : problems_{problems} {
        for (const auto& file : files) {
            if (!file.path.ends_with(".yaml")) {
                layouts_.emplace(file.path, &file);
                continue;
            }
            Report report{(origin / file.path).string(), {}};
            auto root = parse_yaml(file.text, report);
            if (root && !root->is_map()) report.missing(1, "(document)", "a map of texts");
            problems.insert(problems.end(), report.problems.begin(), report.problems.end());
            if (root && root->is_map()) trees_[file.path] = {file.path, std::move(*root)};
        }
        origin_ = origin;
    }

    std::vector<TemplateSource> expand() {
        const auto first = problems_.size();
        std::set<std::string, std::less<>> folders;
        for (const auto& [path, tree] : trees_) {
            const auto folder = path.substr(0, path.find('/'));
            if (folder != layouts_folder) folders.insert(folder);
        }
        for (const auto& folder : folders) expand_folder(folder);
        // Ours are named without the directory; people want to find them.
        for (auto i = first; i < problems_.size(); ++i) {
            problems_[i].file = (origin_ / problems_[i].file).string();
        }
        for (auto& source : out_) {
            for (auto& piece : source.pieces) piece.file = (origin_ / piece.file).string();
        }
        return std::move(out_);
    }

private:
    void complain(const std::string& file, int line, std::string key, std::string value,
                  std::string expected) {
        problems_.push_back({file, line, std::move(key), std::move(value), std::move(expected)});
    }

    const Tree* tree(const std::string& path) const {
        const auto found = trees_.find(path);
        return found == trees_.end() ? nullptr : &found->second;
    }

    void expand_folder(const std::string& folder) {
        const auto* const about = tree(folder + "/message.yaml");
        if (about == nullptr) {
            complain(folder + "/message.yaml", 0, "file", "",
                     "this file: it names the default locale and the layout");
            return;
        }
        const auto* const fallback = about->root.find("default");
        if (fallback == nullptr ||
            tree(fmt::format("{}/{}.yaml", folder, fallback->text)) == nullptr) {
            complain(about->path, fallback != nullptr ? fallback->line : 1, "default",
                     fallback != nullptr ? fallback->text : "",
                     "the locale of one of the folder's files, such as en");
            return;
        }
        Lookups lookups{{fallback}, {"default", "layout", "subject", "sms", "push"}};
        for (const auto& [path, strings] : trees_) {
            if (!path.starts_with(folder + "/") || &strings == about) continue;
            auto locale = path.substr(folder.size() + 1);
            locale.resize(locale.size() - std::string_view{".yaml"}.size());
            LayoutMessage message{
                folder, locale, locale == fallback->text ? "" : locale, {}, &lookups};
            if (const auto* shared = tree(fmt::format("{}/{}.yaml", layouts_folder, locale))) {
                message.scopes.push_back({&shared->root, &shared->path});
            }
            message.scopes.push_back({&about->root, &about->path});
            message.scopes.push_back({&strings.root, &strings.path});
            expand_message(message, *about, strings);
            find_unread(strings, lookups);
        }
        find_unread(*about, lookups);
    }

    void expand_message(const LayoutMessage& message, const Tree& about, const Tree& strings) {
        if (const auto* const layout = message.lookups->find(about.root, "layout")) {
            add_string(message, Channel::email, "subject",
                       message.lookups->find(strings.root, "subject"), strings);
            for (const std::string_view part : {"text", "html"}) {
                add_layout(message, layout->text, part, about, layout->line);
            }
        }
        if (const auto* const sms = message.lookups->find(strings.root, "sms")) {
            add_string(message, Channel::sms, "text", sms, strings);
        }
        if (const auto* const push = message.lookups->find(strings.root, "push")) {
            add_string(message, Channel::push, "title", push->find("title"), strings);
            add_string(message, Channel::push, "body", push->find("body"), strings);
        }
    }

    static std::string compose_path(const LayoutMessage& message, Channel channel,
                                    std::string_view word) {
        for (const auto& part : list_parts(channel)) {
            if (part.word == word) {
                return fmt::format("{}/{}.mustache", message.folder,
                                   part_name(channel, message.in_file_names, part));
            }
        }
        return {};
    }

    void add_string(const LayoutMessage& message, Channel channel, std::string_view word,
                    const YamlValue* value, const Tree& strings) {
        if (value == nullptr || !value->is_scalar()) {
            complain(strings.path, value != nullptr ? value->line : 1, std::string{word},
                     value != nullptr ? value->shown() : "", "a text");
            return;
        }
        TemplateSource source{compose_path(message, channel, word), value->text + "\n", {}};
        source.pieces.push_back(
            {{1, 1},
             strings.path,
             {static_cast<std::uint32_t>(value->line),
              static_cast<std::uint32_t>(value->column + (value->quoted ? 1 : 0))}});
        out_.push_back(std::move(source));
    }

    void add_layout(const LayoutMessage& message, const std::string& layout, std::string_view part,
                    const Tree& about, int line) {
        const auto path = fmt::format("{}/{}.{}.mustache", layouts_folder, layout, part);
        const auto found = layouts_.find(path);
        if (found == layouts_.end()) {
            complain(about.path, line, "layout", layout,
                     fmt::format("a layout: there is no {}", path));
            return;
        }
        out_.push_back(fill_layout(message, *found->second, part == "html",
                                   compose_path(message, Channel::email, part), problems_));
    }

    /// A text that nothing shows is most likely misspelt.
    void find_unread(const Tree& tree, const Lookups& lookups) {
        for (std::size_t i = 0; i < tree.root.items.size(); ++i) {
            if (lookups.found.contains(&tree.root.items[i])) continue;
            const auto meant = nearest(tree.root.keys[i].text, lookups.names);
            complain(tree.path, tree.root.keys[i].line, one_line(tree.root.keys[i].text),
                     "(unknown text)",
                     meant.empty() ? "a text that its layout or a channel shows"
                                   : fmt::format("a text that is shown; did you mean {}?", meant));
        }
    }

    Problems& problems_;
    std::filesystem::path origin_;
    std::map<std::string, const TemplateSource*> layouts_;
    std::map<std::string, Tree> trees_;
    std::vector<TemplateSource> out_;
};

}  // namespace

bool is_of_a_layout(std::string_view path) {
    return path.ends_with(".yaml") || (path.starts_with(layouts_folder) &&
                                       path.substr(layouts_folder.size()).starts_with('/'));
}

std::vector<TemplateSource> expand_messages(std::span<const TemplateSource> files,
                                            const std::filesystem::path& origin,
                                            Problems& problems) {
    return Expansion{files, origin, problems}.expand();
}

}  // namespace fanfare
