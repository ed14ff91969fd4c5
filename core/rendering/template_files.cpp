#include "core/rendering/template_files.hpp"

#include "core/rendering/compiler.hpp"
#include "core/rendering/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>

namespace fanfare {
namespace {

namespace files = std::filesystem;

constexpr std::size_t template_files_max = 10'000;
constexpr std::size_t locale_bytes_max = 35;  // RFC 5646, 4.4.1.
constexpr std::string_view suffix{".mustache"};

bool is_alphanumeric(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// "de", "pt-BR", "zh-Hant-TW": subtags of 2 to 8 letters and digits.
bool is_locale(std::string_view locale) noexcept {
    if (locale.size() > locale_bytes_max) return false;
    while (true) {
        const auto dash = locale.find('-');
        const auto subtag = locale.substr(0, dash);
        if (subtag.size() < 2 || subtag.size() > 8) return false;
        if (!std::ranges::all_of(subtag, is_alphanumeric)) return false;
        if (dash == std::string_view::npos) return true;
        locale.remove_prefix(dash + 1);
    }
}

/// Collects files and problems while a directory is walked.
struct Walk {
    std::vector<TemplateSource> sources;
    std::vector<TemplateSource> of_layouts;
    Problems problems;

    [[nodiscard]] bool is_full() const {
        return sources.size() + of_layouts.size() == template_files_max;
    }

    void read(const files::path& dir, const files::path& file) {
        const auto name = file.filename().string();
        if (name.starts_with('.') || name.ends_with(".md")) return;
        if (is_full()) return;
        std::ifstream stream{file, std::ios::binary};
        // One byte too many is enough to be told that it is too long.
        std::string text(source_bytes_max + 1, '\0');
        stream.read(text.data(), static_cast<std::streamsize>(text.size()));
        if (!stream.eof() && stream.fail()) {
            problems.push_back({file.string(), 0, "", "", "a file that can be read"});
            return;
        }
        text.resize(static_cast<std::size_t>(stream.gcount()));
        auto path = file.lexically_relative(dir).generic_string();
        auto& kept = is_of_a_layout(path) ? of_layouts : sources;
        kept.push_back({std::move(path), std::move(text)});
    }

    /// What is written by hand counts.
    void expand(const files::path& dir) {
        std::set<std::string, std::less<>> by_hand;
        for (const auto& source : sources) by_hand.insert(source.path);
        for (auto& source : expand_messages(of_layouts, dir, problems)) {
            if (!by_hand.contains(source.path)) sources.push_back(std::move(source));
        }
    }
};

}  // namespace

std::vector<PartKind> list_parts(Channel channel) {
    switch (channel) {
        case Channel::email:
            return {{"subject", PartForm::line, true, false, 0},
                    {"text", PartForm::text, true, true, 1},
                    {"html", PartForm::html, false, true, 2}};
        case Channel::sms:
            return {{"text", PartForm::text, true, false, 1}};
        case Channel::push:
            return {{"title", PartForm::line, true, false, 0},
                    {"body", PartForm::text, true, false, 1}};
    }
    return {};
}

std::string part_name(Channel channel, std::string_view locale, const PartKind& part) {
    return fmt::format("{}{}{}.{}", to_string(channel), locale.empty() ? "" : ".", locale,
                       part.word);
}

std::string locale_key(std::string_view locale) {
    std::string key{locale.substr(0, locale.find_first_of(".@"))};
    if (key.size() > locale_bytes_max) key.clear();
    for (auto& c : key) {
        if (c == '_') c = '-';
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return key;
}

std::variant<TemplateName, std::string> parse_template_name(std::string_view path) {
    const auto slash = path.find('/');
    if (slash == std::string_view::npos || path.find('/', slash + 1) != std::string_view::npos) {
        return "a file in a folder named after a kind, such as show.reminder/";
    }
    if (!path.ends_with(suffix)) return "a name that ends in .mustache";
    auto words = path.substr(slash + 1);
    words.remove_suffix(suffix.size());
    const auto first = words.find('.');
    const auto last = words.rfind('.');
    const auto channel = parse_channel(words.substr(0, first));
    if (!channel) return "a name that begins with email, sms or push";

    TemplateName name{std::string{path.substr(0, slash)}, *channel, {}, {}};
    if (last != first) name.locale = words.substr(first + 1, last - first - 1);
    const auto word = last == std::string_view::npos ? std::string_view{} : words.substr(last + 1);
    std::string known;
    bool found = false;
    for (const auto& part : list_parts(*channel)) {
        if (part.word == word) {
            name.part = part;
            found = true;
        }
        known += fmt::format("{}.{}", known.empty() ? "" : " or ", part.word);
    }
    if (!found) return fmt::format("a name that ends in {}, then .mustache", known);
    if (last != first && !is_locale(name.locale)) {
        return fmt::format("{0}.<locale>.{1}.mustache with a locale such as de or pt-BR",
                           to_string(*channel), word);
    }
    return name;
}

std::variant<std::vector<TemplateSource>, Problems> read_template_files(const files::path& dir) {
    Walk walk;
    std::error_code error;
    for (files::directory_iterator folder{dir, error}, end; !error && folder != end;
         folder.increment(error)) {
        std::error_code not_a_folder;
        if (!folder->is_directory(not_a_folder)) {
            walk.read(dir, folder->path());
            continue;
        }
        for (files::directory_iterator file{folder->path(), error}; !error && file != end;
             file.increment(error)) {
            if (!file->is_directory(not_a_folder)) walk.read(dir, file->path());
        }
    }
    if (error) {
        walk.problems.push_back({dir.string(), 0, "", error.message(), "a folder of templates"});
    }
    if (walk.is_full()) {
        walk.problems.push_back(
            {dir.string(), 0, "", "", fmt::format("fewer than {} templates", template_files_max)});
    }
    if (walk.problems.empty()) walk.expand(dir);
    if (!walk.problems.empty()) return std::move(walk.problems);
    // The order of a directory is chance; that of messages should not be.
    std::ranges::sort(walk.sources, {}, &TemplateSource::path);
    return std::move(walk.sources);
}

}  // namespace fanfare
