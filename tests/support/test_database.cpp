#include "tests/support/test_database.hpp"

#include "core/ledger/migrate.hpp"
#include "tests/support/services.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <pqxx/nontransaction>

#include <unistd.h>

#include <atomic>
#include <stdexcept>

namespace fanfare::test {
namespace {

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

}  // namespace

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

TestLedger::TestLedger() {
    const auto applied = ledger::migrate(database_.url(), FANFARE_SOURCE_DIR "/config/migrations");
    if (!applied) throw std::runtime_error{describe(applied.error())};
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

}  // namespace fanfare::test
