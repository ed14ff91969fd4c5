// The documentation tells the truth: each table equals the one in the code.
// FANFARE_UPDATE_DOCS=1 writes the tables anew.
#include "core/wire/cloud_event.hpp"
#include "support.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

namespace fanfare {
namespace {

using testing::file_text;
using testing::ledger_environment;
using testing::problems_of;

const std::string root = FANFARE_SOURCE_DIR;

std::string cell(const std::string& text) {
    return text.empty() ? " " : fmt::format(" `{}` ", text);
}

std::string settings_table() {
    std::string table = "| key | unit | bounds | default | meaning |\n|---|---|---|---|---|\n";
    for (const auto& doc : setting_docs()) {
        table += fmt::format("| `{}` | {} | {} |{}| {} |\n", doc.key, doc.unit, doc.bounds,
                             cell(doc.default_value), doc.doc);
    }
    return table;
}

std::string codes_table() {
    std::string table = "| code | meaning |\n|---|---|\n";
    for (const auto& doc : rejection_docs()) {
        table += fmt::format("| `{}` | {} |\n", doc.code, doc.meaning);
    }
    return table;
}

std::string codes_enum() {
    std::string list;
    for (const auto& doc : rejection_docs()) {
        list += fmt::format("            - {}  # {}\n", doc.code, doc.meaning);
    }
    return list;
}

// Compares, or writes, what stands between the lines holding "begin: name" and "end: name".
void expect_section(const std::string& file, const std::string& name, const std::string& wanted) {
    auto text = file_text(file);
    const auto begin_mark = text.find("begin: " + name);
    const auto end_mark = text.find("end: " + name);
    ASSERT_NE(begin_mark, std::string::npos) << file << " has no section " << name;
    ASSERT_NE(end_mark, std::string::npos) << file << " has no section " << name;
    const auto begin = text.find('\n', begin_mark) + 1;
    const auto end = text.rfind('\n', end_mark) + 1;
    if (std::getenv("FANFARE_UPDATE_DOCS") != nullptr) {
        text.replace(begin, end - begin, wanted);
        std::ofstream{file, std::ios::binary} << text;
        return;
    }
    EXPECT_EQ(text.substr(begin, end - begin), wanted)
        << "run settings_tests with FANFARE_UPDATE_DOCS=1 to mend " << file;
}

TEST(Docs, ListEverySetting) {
    expect_section(root + "/docs/configuration.md", "settings", settings_table());
}

TEST(Docs, ListEveryRejectionCode) {
    expect_section(root + "/docs/configuration.md", "codes", codes_table());
    expect_section(root + "/docs/asyncapi.yaml", "codes", codes_enum());
}

TEST(Docs, NameEveryTypeOfEventThatOrdersAJob) {
    const auto all = fmt::format("{{enum: [{}]}}", fmt::join(job_event_types, ", "));
    for (const auto* const contract : {"/docs/asyncapi.yaml", "/docs/openapi.yaml"}) {
        EXPECT_NE(file_text(root + contract).find(" type: " + all), std::string::npos) << contract;
    }
    for (const auto* const page : {"/docs/api.md", "/docs/configuration.md"}) {
        const auto text = file_text(root + page);
        for (const auto type : job_event_types) {
            EXPECT_NE(text.find(fmt::format("`{}`", type)), std::string::npos)
                << page << " does not name " << type;
        }
    }
}

TEST(Docs, SayWhatEachSettingIs) {
    for (const auto& doc : setting_docs()) {
        EXPECT_FALSE(doc.bounds.empty()) << doc.key;
        EXPECT_TRUE(doc.doc.ends_with('.')) << doc.key;
        EXPECT_FALSE(doc.key.ends_with("_ms") && doc.unit != "ms") << doc.key;
        EXPECT_FALSE(doc.key.ends_with("_s") && doc.unit != "s") << doc.key;
    }
}

TEST(DefaultFile, LoadsWithTheLedgerAlone) {
    for (const auto& problem :
         problems_of(load_settings(root + "/config/fanfare.yaml", ledger_environment()))) {
        ADD_FAILURE() << describe(problem);
    }
}

// Breaks one line after the other: each setting has its own line and its true default.
TEST(DefaultFile, ShowsEveryDefault) {
    const auto text = file_text(root + "/config/fanfare.yaml");
    for (const auto& doc : setting_docs()) {
        if (doc.key.starts_with("accounts") || doc.key.starts_with("producer.clients") ||
            doc.key == "kafka.client" || doc.key == "database.url" || doc.key == "link_key") {
            continue;
        }
        const auto name = doc.key.substr(doc.key.rfind('.') + 1);
        const auto value = doc.default_value.empty() ? "\"\"" : doc.default_value;
        const auto line = fmt::format("{}: {}", name, value);
        const auto at = text.find(line);
        ASSERT_NE(at, std::string::npos) << doc.key << ": no line \"" << line << "\"";
        const auto after = text[at + line.size()];
        EXPECT_TRUE(after == '\n' || after == ' ') << doc.key;
    }
}

TEST(DefaultFile, ChangesNothing) {
    const auto environment = ledger_environment();
    const auto shipped = load_settings(root + "/config/fanfare.yaml", environment);
    const auto empty = parse_settings(root + "/config/fanfare.yaml", "", environment);
    const auto& a = std::get<Settings>(shipped);
    const auto& b = std::get<Settings>(empty);
    EXPECT_EQ(a.kafka.brokers, b.kafka.brokers);
    EXPECT_EQ(a.systems_dir, std::filesystem::path{root} / "config/systems");
    EXPECT_EQ(a.systems_dir, b.systems_dir);
    EXPECT_EQ(a.templates_dir, std::filesystem::path{root} / "templates");
    EXPECT_EQ(a.worker.lease, b.worker.lease);
    EXPECT_EQ(a.producer.lease, b.producer.lease);
    for (std::size_t i = 0; i < channel_count; ++i) {
        const auto& left = a.worker.channels[i];
        const auto& right = b.worker.channels[i];
        EXPECT_EQ(left.chunk_recipients_max, right.chunk_recipients_max);
        EXPECT_EQ(left.chunks_in_flight_max, right.chunks_in_flight_max);
        EXPECT_EQ(left.on_doubt, right.on_doubt);
    }
}

}  // namespace
}  // namespace fanfare
