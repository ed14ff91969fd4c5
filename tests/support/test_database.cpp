#include "tests/support/test_database.hpp"

#include "core/ledger/migrate.hpp"
#include "tests/support/services.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <pqxx/nontransaction>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace fanfare::test {
namespace {

constexpr const char* migrations = FANFARE_SOURCE_DIR "/config/migrations";
constexpr std::string_view plain = "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'";

std::string server_url() {
    const char* const url = service("FANFARE_TEST_DATABASE_URL");
    if (url == nullptr || *url == '\0') {
        throw std::runtime_error{
            "FANFARE_TEST_DATABASE_URL is not set; start a server: scripts/stack up && "
            "eval \"$(scripts/stack env)\""};
    }
    return url;
}

/// The same server, another database. The URL's path is the last '/' before any '?'.
std::string url_of(const std::string& server, const std::string& name) {
    const auto query = server.find('?');
    const auto slash = server.rfind('/', query);
    if (server.find("://") == std::string::npos || slash == std::string::npos ||
        server[slash - 1] == '/') {
        throw std::runtime_error{"FANFARE_TEST_DATABASE_URL is not postgresql://host/database"};
    }
    return server.substr(0, slash + 1) + name +
           (query == std::string::npos ? std::string{} : server.substr(query));
}

void on_server(const std::string& sql) {
    pqxx::connection connection{server_url()};
    pqxx::nontransaction work{connection};
    work.exec(sql);
}

/// Other migrations make another name.
std::string ledger_name() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{migrations}) {
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::ostringstream text;
    for (const auto& file : files) text << file.filename() << std::ifstream{file}.rdbuf();
    return fmt::format("fanfare_ledger_{:016x}", std::hash<std::string>{}(text.str()));
}

/// A database that no test uses and each copies: copying costs a third of migrating. One makes it,
/// whoever comes meanwhile waits; those of other migrations go.
void make_ledger(const std::string& name) {
    pqxx::connection connection{server_url()};
    pqxx::nontransaction work{connection};
    work.exec("SELECT pg_advisory_lock(hashtextextended('fanfare_ledger', 0))");
    const auto there =
        work.exec("SELECT datname FROM pg_database WHERE datname ~ '^fanfare_ledger_'");
    for (const auto& row : there) {
        if (row[0].as<std::string>() == name) return;
    }
    for (const auto& row : there) {
        work.exec(fmt::format("DROP DATABASE {} WITH (FORCE)", row[0].as<std::string>()));
    }
    const auto draft = name + "_draft";
    work.exec(fmt::format("CREATE DATABASE {} {}", draft, plain));
    const auto applied = ledger::migrate(Secret{url_of(server_url(), draft)}, migrations);
    if (!applied) throw std::runtime_error{describe(applied.error())};
    work.exec(fmt::format("ALTER DATABASE {} ALLOW_CONNECTIONS false", draft));
    work.exec(fmt::format("ALTER DATABASE {} RENAME TO {}", draft, name));
}

}  // namespace

std::string copy_of_ledger() {
    static const std::string name = [] {
        auto made = ledger_name();
        make_ledger(made);
        return made;
    }();
    return "TEMPLATE " + name;
}

TestDatabase::TestDatabase() : TestDatabase{plain} {}

TestDatabase::TestDatabase(std::string_view options) {
    static std::atomic<int> count{0};
    name_ = fmt::format("fanfare_test_{}_{}", ::getpid(), count++);
    on_server(fmt::format("CREATE DATABASE {} {}", name_, options));
    url_ = Secret{url_of(server_url(), name_)};
}

TestDatabase::~TestDatabase() {
    try {
        on_server(fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", name_));
    } catch (const std::exception& fault) {
        ADD_FAILURE() << "cannot drop " << name_ << ": " << fault.what();
    }
}

std::unique_ptr<postgres::Connection> TestDatabase::connect(const postgres::Limits& limits) const {
    return std::make_unique<postgres::Connection>(url_, limits);
}

TestLedger::TestLedger() : database_{copy_of_ledger()} {
    connection_ = database_.connect();
    advance({});
}

void TestLedger::advance(std::chrono::milliseconds step) {
    now_ += step;
    pqxx::nontransaction work{connection_->raw()};
    work.exec(fmt::format(
        "CREATE OR REPLACE FUNCTION app_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL "
        "SAFE AS 'SELECT timestamptz ''2030-01-01 12:00:00Z'' + {} * interval ''1 ms'''",
        now_.count()));
}

std::vector<std::string> TestLedger::column(const std::string& sql) {
    pqxx::nontransaction work{connection_->raw()};
    std::vector<std::string> values;
    for (const auto& row : work.exec(sql)) {
        values.emplace_back(row[0].is_null() ? "null" : row[0].c_str());
    }
    return values;
}

std::string TestLedger::value(const std::string& sql) {
    const auto values = column(sql);
    if (values.size() != 1) {
        throw std::runtime_error{fmt::format("{} rows from {}", values.size(), sql)};
    }
    return values.front();
}

bool insert_job(postgres::Connection& connection, const Job& job, const std::string& list) {
    const ledger::NewJob given{
        .job = job, .list = list, .writes_back = false, .digest = {}, .origin = {}};
    return ledger::take_job(connection, given).how == ledger::TakenJob::How::added;
}

}  // namespace fanfare::test
