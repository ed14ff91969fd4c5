#include "core/ledger/advice.hpp"

#include "core/postgres/address.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>

#include <array>
#include <string>
#include <string_view>

namespace fanfare::ledger {
namespace {

std::string find_file(const Settings& settings, const System& system) {
    return (settings.systems_dir / system.name / "system.yaml").string();
}

void advise_on(const Secret& url, std::string file, std::string key, Problems& advice) {
    const auto address = postgres::parse_address(url);
    if (!address.is_remote || address.sslmode == "verify-full") return;
    const auto mode = address.sslmode.empty() ? std::string{"prefer"} : address.sslmode;
    advice.push_back({std::move(file), 0, std::move(key),
                      fmt::format("sslmode={} to {}", mode, address.text()),
                      "sslmode=verify-full: whoever stands between reads along, or answers as the "
                      "database"});
}

}  // namespace

Problems advice(const Settings& settings, const Systems& systems) {
    Problems advice;
    advise_on(settings.database.url, settings.file.string(), "database.url", advice);
    for (const auto& [name, system] : systems) {
        if (!system.database.empty()) {
            advise_on(system.database, find_file(settings, system), "database", advice);
        }
        const auto most = settings.worker.lease / 2;
        if (system.statement_timeout <= most) continue;
        advice.push_back({find_file(settings, system), 0, "statement_timeout_ms",
                          std::to_string(system.statement_timeout.count()),
                          fmt::format("at most half of worker.lease_ms, {}: queries for contacts "
                                      "and write-backs are stopped there",
                                      most.count())});
    }
    return advice;
}

Problems durability_problems(postgres::Connection& connection) {
    constexpr std::array<std::string_view, 3> names{"fsync", "full_page_writes",
                                                    "synchronous_commit"};
    pqxx::nontransaction work{connection.raw()};
    Problems problems;
    for (const auto name : names) {
        const auto rows = work.exec_params("SELECT current_setting($1)", std::string{name});
        const std::string value = rows[0][0].c_str();
        if (value != "off") continue;
        problems.push_back({"the ledger's PostgreSQL", 0, std::string{name}, value,
                            "on: what it calls committed is lost when it crashes, and people are "
                            "told twice or never"});
    }
    return problems;
}

}  // namespace fanfare::ledger
