#include "core/settings/secret_source.hpp"

#include "core/settings/schema.hpp"

#include <fmt/format.h>

#include <fstream>
#include <system_error>

namespace fanfare {
namespace {

constexpr std::size_t secret_bytes_max = 64 * 1024;

void drop_newline(std::string& text) {
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
}

// What is wrong with the secret's text; empty when nothing is.
std::string find_fault(const std::string& text) {
    if (text.empty()) return "not empty";
    if (text.size() > secret_bytes_max) return "at most 64 KiB";
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
        return "plain text or UTF-8, not UTF-16";
    }
    if (text.starts_with("\xEF\xBB\xBF")) return "without a byte order mark at its begin";
    if (text.find('\0') != std::string::npos) return "without a NUL byte";
    // Keys and service accounts are documents; a token with a second line is a mistake of pasting.
    const bool is_document = text.starts_with("-----BEGIN") || text.starts_with('{');
    if (!is_document && text.find_first_of("\r\n") != std::string::npos) return "a single line";
    return {};
}

std::optional<std::string> read_file(const std::filesystem::path& path) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) return std::nullopt;
    std::ifstream stream{path, std::ios::binary};
    if (!stream) return std::nullopt;
    std::string text(secret_bytes_max + 2, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (stream.bad()) return std::nullopt;
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return text;
}

}  // namespace

std::optional<Secret> SecretSource::read(const YamlValue& value, const std::string& key,
                                         Report& report) const {
    const YamlValue* const name =
        value.is_map() && value.items.size() == 1 ? &value.items[0] : nullptr;
    const bool from_environment = name != nullptr && value.keys[0].text == "env";
    const bool from_file = name != nullptr && value.keys[0].text == "file";
    if (name == nullptr || !name->is_scalar() || name->text.empty() ||
        !(from_environment || from_file)) {
        report.add(value.line, key, value.is_scalar() ? not_shown : value.shown(),
                   fmt::format("{}: a secret does not stand in this file; put it into an "
                               "environment variable or a file and name that here",
                               secret_bounds));
        return std::nullopt;
    }
    if (from_file && others_may_write(folder / name->text)) {
        report.add(value.line, key, fmt::format("{{file: {}}}", name->text), only_owner_writes);
        return std::nullopt;
    }
    const auto text = from_environment ? environment(name->text) : read_file(folder / name->text);
    const auto shown = fmt::format("{{{}: {}}}", value.keys[0].text, name->text);
    if (!text) {
        report.add(value.line, key, shown,
                   from_environment ? "an environment variable that is set" : "a readable file");
        return std::nullopt;
    }
    auto secret = *text;
    if (from_file) drop_newline(secret);
    if (const auto fault = find_fault(secret); !fault.empty()) {
        report.add(value.line, key, shown, fmt::format("a secret that is {}", fault));
        return std::nullopt;
    }
    return Secret{std::move(secret)};
}

std::optional<Secret> SecretSource::find_override(const std::string& key, Report& report) const {
    const auto name = environment_name(key);
    auto text = environment(name);
    if (!text) return std::nullopt;
    if (const auto fault = find_fault(*text); !fault.empty()) {
        report.problems.push_back({"environment " + name, 0, key, std::string{not_shown},
                                   fmt::format("a secret that is {}", fault)});
        return Secret{};
    }
    return Secret{std::move(*text)};
}

bool others_may_write(const std::filesystem::path& file) {
    using std::filesystem::perms;
    const auto find_mode = [](const std::filesystem::path& path) {
        std::error_code fault;
        const auto status = std::filesystem::status(path, fault);
        return fault || !std::filesystem::exists(status) ? perms::none : status.permissions();
    };
    if (file.empty()) return false;
    if ((find_mode(file) & (perms::group_write | perms::others_write)) != perms::none) return true;
    const auto folder = find_mode(std::filesystem::absolute(file).parent_path());
    return (folder & perms::others_write) != perms::none &&
           (folder & perms::sticky_bit) == perms::none;
}

bool is_database_url(const Secret& secret) {
    const auto& text = secret.reveal();
    return !has_control_character(text) &&
           (text.starts_with("postgresql://") || text.starts_with("postgres://") ||
            text.find('=') != std::string::npos);
}

}  // namespace fanfare
