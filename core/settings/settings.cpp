#include "core/settings/settings.hpp"

#include "core/settings/account_reader.hpp"
#include "core/settings/client_reader.hpp"
#include "core/settings/folders.hpp"
#include "core/settings/kafka_client.hpp"
#include "core/settings/setting_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

namespace fanfare {
namespace {

void apply_environment(Settings& settings, const Environment& environment, Report& report) {
    for (const auto& row : setting_rows()) {
        const auto name = environment_name(row.about.key);
        const auto text = environment(name);
        if (!text || row.store(settings, *text)) continue;
        Report of_variable{"environment " + name, {}};
        of_variable.add(0, row.about.key, *text, row.about.bounds);
        report.problems.push_back(std::move(of_variable.problems.front()));
    }
}

void settle_database(Settings& settings, const YamlValue& root, const SecretSource& secrets,
                     Report& report) {
    const std::string key = "database.url";
    const auto* const section = root.find("database");
    if (auto secret = secrets.find_override(key, report)) {
        if (!secret->empty() && !is_database_url(*secret)) {
            report.problems.push_back({"environment " + environment_name(key), 0, key,
                                       std::string{not_shown},
                                       "postgresql://... or a libpq connection string"});
        }
        settings.database.url = std::move(*secret);
    } else if (section == nullptr || section->find("url") == nullptr) {
        report.missing(section == nullptr ? 0 : section->line, key,
                       fmt::format("{}, or the environment variable {}", secret_bounds,
                                   environment_name(key)));
    }
}

// What no single key can tell.
void check_together(const Settings& settings, const YamlValue& root, Report& report) {
    const auto* const worker = root.find("worker");
    const auto find_line = [&](std::string_view key) {
        const auto* const value = worker == nullptr ? nullptr : worker->find(key);
        return value == nullptr ? 0 : value->line;
    };
    const auto& http = settings.producer.http;
    if (http.certificate.empty() != http.key.empty()) {
        report.add(0, "producer.http.key", http.key.string(),
                   "a file together with producer.http.certificate, or both empty");
    }
    check_kafka_client(settings.kafka, root, report);
    if (settings.worker.backoff_max < settings.worker.backoff_first) {
        report.add(find_line("backoff_max_ms"), "worker.backoff_max_ms",
                   fmt::format("{}", settings.worker.backoff_max.count()),
                   fmt::format("at least worker.backoff_first_ms, which is {}",
                               settings.worker.backoff_first.count()));
    }
    for (const auto& account : settings.accounts) {
        // A worker starts no request that could outlive its lease: it would start none.
        if (account.timeout < settings.worker.lease) continue;
        report.add(find_line("lease_ms"), "worker.lease_ms",
                   fmt::format("{}", settings.worker.lease.count()),
                   fmt::format("more than {}.timeout_ms, which is {}", account.key,
                               account.timeout.count()));
    }
}

std::filesystem::path in_folder(const std::filesystem::path& folder,
                                const std::filesystem::path& path) {
    return path.empty() ? path : (folder / path).lexically_normal();
}

// Keys of one section together, sections in the order in which they first appear.
void by_section(std::vector<SettingDoc>& docs) {
    std::map<std::string, std::size_t> order;
    const auto section = [](const SettingDoc& doc) {
        return doc.key.substr(0, doc.key.find_first_of(".["));
    };
    for (const auto& doc : docs) order.emplace(section(doc), order.size());
    std::stable_sort(docs.begin(), docs.end(), [&](const auto& left, const auto& right) {
        return order.at(section(left)) < order.at(section(right));
    });
}

void settle_paths(Settings& settings, const std::filesystem::path& folder) {
    auto& http = settings.producer.http;
    for (auto* path :
         {&settings.kafka.embedded_address_file, &settings.observe.port_file, &settings.systems_dir,
          &settings.templates_dir, &http.port_file, &http.certificate, &http.key}) {
        *path = in_folder(folder, *path);
    }
}

}  // namespace

Environment process_environment() {
    return [](const std::string& name) -> std::optional<std::string> {
        const char* const value = std::getenv(name.c_str());
        if (value == nullptr) return std::nullopt;
        return value;
    };
}

std::string environment_name(std::string_view key) {
    std::string name = "FANFARE_";
    for (const char c : key) {
        if (c == '.') {
            name += '_';
        } else {
            name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        }
    }
    return name;
}

namespace {

/// What can be read, whatever else is wrong; nothing where the text is no YAML.
std::optional<Settings> read_settings(const std::filesystem::path& file, std::string_view text,
                                      const Environment& environment, Report& report) {
    const auto root = parse_yaml(text, report);
    if (!root) return std::nullopt;

    std::error_code ignored;
    const auto folder = std::filesystem::absolute(file, ignored).parent_path();
    const SecretSource secrets{environment, folder};
    Settings settings;
    settings.file = file;
    const auto form = settings_form(secrets);
    FormReader<Settings>{settings, form, "", report}.read(*root);
    apply_environment(settings, environment, report);
    settle_database(settings, *root, secrets, report);
    check_together(settings, *root, report);
    settle_paths(settings, folder);
    if (others_may_write(settings.producer.http.key)) {
        report.add(0, "producer.http.key", settings.producer.http.key.string(), only_owner_writes);
    }
    return settings;
}

std::optional<std::string> contents(const std::filesystem::path& file) {
    std::error_code ignored;
    std::ifstream stream{file, std::ios::binary};
    if (!std::filesystem::is_regular_file(file, ignored) || !stream) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>{stream}, {}};
}

}  // namespace

std::variant<Settings, Problems> parse_settings(const std::filesystem::path& file,
                                                std::string_view text,
                                                const Environment& environment) {
    Report report{file.string(), {}};
    auto settings = read_settings(file, text, environment, report);
    if (!settings || !report.problems.empty()) return report.problems;
    return std::move(*settings);
}

std::variant<Settings, Problems> load_settings(const std::filesystem::path& file,
                                               const Environment& environment) {
    const auto text = contents(file);
    if (!text) {
        return Problems{{file.string(), 0, "(document)", "(not readable)", "a readable file"}};
    }
    return parse_settings(file, *text, environment);
}

Folders find_folders(const std::filesystem::path& file, const Environment& environment) {
    Report ignored{file.string(), {}};
    const auto text = contents(file);
    const auto settings =
        text ? read_settings(file, *text, environment, ignored) : std::optional<Settings>{};
    if (!settings) return {};
    return {settings->systems_dir, settings->templates_dir};
}

std::vector<SettingDoc> setting_docs() {
    const Environment none = [](const std::string&) { return std::optional<std::string>{}; };
    const SecretSource secrets{none, {}};
    std::vector<SettingDoc> docs;
    const auto append = [&docs](const auto& form, const std::string& front) {
        for (const auto& row : form.rows) docs.push_back(row.about);
        for (const auto& special : form.specials) docs.push_back(special.about);
        const auto added = form.rows.size() + form.specials.size();
        for (auto i = docs.size() - added; i < docs.size(); ++i) docs[i].key.insert(0, front);
    };
    append(settings_form(secrets), "");
    append(account_form(secrets), "accounts[].");
    append(client_form(secrets), "producer.clients[].");
    by_section(docs);
    return docs;
}

}  // namespace fanfare
