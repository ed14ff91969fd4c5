#include "support.hpp"

#include <unistd.h>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using testing::environment_of;
using ::testing::HasSubstr;
using testing::IsProblem;
using ::testing::Not;
using testing::problems_of;

// The only tests here that need files: secrets are read from them.
class SecretTest : public ::testing::Test {
protected:
    SecretTest() { std::filesystem::create_directories(folder); }
    ~SecretTest() override { std::filesystem::remove_all(folder); }

    void write(const std::string& name, std::string_view text) const {
        std::ofstream{folder / name, std::ios::binary} << text;
    }
    [[nodiscard]] std::variant<Settings, Problems> load(
        std::string_view text, std::map<std::string, std::string> variables = {}) const {
        return parse_settings(folder / "fanfare.yaml", text, environment_of(std::move(variables)));
    }
    [[nodiscard]] std::string url_of(std::string_view text,
                                     std::map<std::string, std::string> variables = {}) const {
        const auto loaded = load(text, std::move(variables));
        for (const auto& problem : problems_of(loaded)) ADD_FAILURE() << describe(problem);
        const auto* const settings = std::get_if<Settings>(&loaded);
        return settings == nullptr ? "" : settings->database.url.reveal();
    }

    std::filesystem::path folder = std::filesystem::temp_directory_path() /
                                   ("fanfare_secret_test_" + std::to_string(getpid()));
};

TEST_F(SecretTest, ComesFromTheEnvironment) {
    EXPECT_EQ(url_of("database: {url: {env: LEDGER}}", {{"LEDGER", "postgresql:///a"}}),
              "postgresql:///a");
}

TEST_F(SecretTest, ComesFromAFileWithoutItsLastNewline) {
    write("url", "postgresql:///a\n");
    write("windows", "postgresql:///a\r\n");
    EXPECT_EQ(url_of("database: {url: {file: url}}"), "postgresql:///a");
    EXPECT_EQ(url_of("database: {url: {file: windows}}"), "postgresql:///a");
    EXPECT_EQ(url_of("database: {url: {file: " + (folder / "url").string() + "}}"),
              "postgresql:///a");
}

TEST_F(SecretTest, IsOverriddenByTheEnvironmentWhateverTheFileNames) {
    EXPECT_EQ(url_of("database: {url: {file: gone}}", {{"FANFARE_DATABASE_URL", "dbname=b"}}),
              "dbname=b");
}

TEST_F(SecretTest, NeverStandsInTheFile) {
    const auto found = problems_of(load("database:\n  url: postgresql://u:hush@h/d\n",
                                        {{"FANFARE_DATABASE_URL", "dbname=b"}}));
    ASSERT_THAT(found, ElementsAre(IsProblem(2, "database.url", "(not shown)",
                                             "{env: NAME} or {file: PATH}")));
    EXPECT_THAT(found[0].expected, HasSubstr("environment variable or a file"));
    EXPECT_THAT(describe(found[0]), Not(HasSubstr("hush")));
}

TEST_F(SecretTest, IsMissed) {
    EXPECT_THAT(problems_of(load("")),
                ElementsAre(IsProblem(0, "database.url", "", "FANFARE_DATABASE_URL")));
    EXPECT_THAT(problems_of(load("database: {url: {env: LEDGER}}")),
                ElementsAre(IsProblem(1, "database.url", "{env: LEDGER}", "that is set")));
    EXPECT_THAT(problems_of(load("database: {url: {env: LEDGER}}", {{"LEDGER", ""}})),
                ElementsAre(IsProblem(1, "database.url", "{env: LEDGER}", "not empty")));
    EXPECT_THAT(problems_of(load("", {{"FANFARE_DATABASE_URL", ""}})),
                ElementsAre(IsProblem(0, "database.url", "(not shown)", "not empty")));
}

TEST_F(SecretTest, MustBeReadable) {
    write("empty", "\n");
    write("nul", std::string_view{"a\0b", 3});
    write("large", std::string(64 * 1024 + 1, 'x'));
    const auto expect = [&](const std::string& file, const std::string& expected) {
        EXPECT_THAT(problems_of(load("database: {url: {file: " + file + "}}")),
                    ElementsAre(IsProblem(1, "database.url", "{file: " + file + "}", expected)));
    };
    expect("gone", "a readable file");
    expect(".", "a readable file");
    expect("empty", "not empty");
    expect("nul", "NUL");
    expect("large", "64 KiB");
}

TEST_F(SecretTest, IsOneLineOfPlainText) {
    const auto expect = [&](const std::string& text, const std::string& expected) {
        write("secret", text);
        EXPECT_THAT(problems_of(load("database: {url: {file: secret}}")),
                    ElementsAre(IsProblem(1, "database.url", "{file: secret}", expected)))
            << text;
    };
    expect("dbname=a\nsecond\n", "a single line");
    expect("dbname=a\n\n", "a single line");
    expect("dbname=a\rdbname=b", "a single line");
    expect(
        "\xEF\xBB\xBF"
        "dbname=a\n",
        "byte order mark");
    expect(std::string{"\xFF\xFE"
                       "d\0b\0",
                       6},
           "UTF-16");
    for (const auto* variable : {"dbname=a\nsecond",
                                 "\xEF\xBB\xBF"
                                 "dbname=a"}) {
        EXPECT_EQ(problems_of(load("database: {url: {env: A}}", {{"A", variable}})).size(), 1U);
        EXPECT_EQ(problems_of(load("", {{"FANFARE_DATABASE_URL", variable}})).size(), 1U);
    }
    // Keys and service accounts have many.
    for (const auto* document : {"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
                                 "{\n  \"type\": \"service_account\"\n}\n"}) {
        write("document", document);
        EXPECT_THAT(
            problems_of(load("database: {url: dbname=a}\naccounts:\n  - name: a\n    type: fcm\n"
                             "    secrets: {service_account: {file: document}}\n",
                             {{"FANFARE_DATABASE_URL", "dbname=a"}}))
                .size(),
            1U)
            << "the ledger's address alone stands in the file";
    }
}

TEST_F(SecretTest, IsForNobodyButItsOwnerToWrite) {
    using std::filesystem::perms;
    write("secret", "dbname=a\n");
    const auto expect = [&](perms mode, std::size_t problems) {
        std::filesystem::permissions(folder / "secret", mode);
        const auto found = problems_of(load("database: {url: {file: secret}}"));
        ASSERT_EQ(found.size(), problems);
        if (problems > 0) {
            EXPECT_THAT(found[0].expected, HasSubstr("chmod go-w"));
        }
    };
    const auto readable = perms::owner_read | perms::owner_write | perms::group_read;
    expect(readable, 0);
    expect(readable | perms::others_read, 0);
    expect(readable | perms::group_write, 1);
    expect(readable | perms::others_write, 1);
    std::filesystem::permissions(folder / "secret", readable);
    // Whoever may write the folder may put another file there, unless it is sticky, as /tmp is.
    std::filesystem::permissions(folder, perms::all);
    expect(readable, 1);
    std::filesystem::permissions(folder, perms::all | perms::sticky_bit);
    expect(readable, 0);
    std::filesystem::permissions(folder, perms::owner_all);
    std::filesystem::create_symlink(folder / "secret", folder / "link");
    std::filesystem::permissions(folder / "secret", readable | perms::others_write);
    EXPECT_EQ(problems_of(load("database: {url: {file: link}}")).size(), 1U);
    EXPECT_THAT(
        problems_of(load("producer: {http: {certificate: c, key: secret}}",
                         {{"FANFARE_DATABASE_URL", "dbname=a"}})),
        ElementsAre(IsProblem(0, "producer.http.key", (folder / "secret").string(), "chmod go-w")));
}

TEST_F(SecretTest, HasOneOfTwoForms) {
    for (const auto* form :
         {"[a]", "{}", "{env: A, file: b}", "{vault: a}", "{env: [A]}", "{env: \"\"}", "~"}) {
        const auto found = problems_of(load(std::string{"database: {url: "} + form + "}"));
        ASSERT_EQ(found.size(), 1U) << form;
        EXPECT_THAT(found[0].expected, HasSubstr("{env: NAME} or {file: PATH}")) << form;
    }
}

TEST_F(SecretTest, OfTheLedgerIsAConnectionString) {
    for (const auto* url : {"hush", "mysql://hush", "postgresql:///a\x01hush"}) {
        for (const auto& found : {problems_of(load("", {{"FANFARE_DATABASE_URL", url}})),
                                  problems_of(load("database: {url: {env: A}}", {{"A", url}}))}) {
            ASSERT_EQ(found.size(), 1U) << url;
            EXPECT_EQ(found[0].value, "(not shown)");
            EXPECT_THAT(describe(found[0]), Not(HasSubstr("hush")));
        }
    }
}

}  // namespace
}  // namespace fanfare
