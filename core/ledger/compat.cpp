#include "core/ledger/compat.hpp"

#include "core/postgres/address.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <pqxx/nontransaction>

#include <algorithm>
#include <set>

namespace fanfare::ledger {
namespace {

constexpr std::string_view remedy = "run: fanfare db migrate";

bool has(pqxx::nontransaction& work, const std::string& table) {
    return !work.exec_params("SELECT to_regclass($1)", table)[0][0].is_null();
}

}  // namespace

std::string unfitness(postgres::Connection& connection) {
    pqxx::nontransaction work{connection.raw()};
    if (!has(work, "schema_migration")) return fmt::format("it has no tables; {}", remedy);
    if (has(work, "ledger_compat")) {
        const auto oldest = work.exec("SELECT max(oldest_program) FROM ledger_compat")[0][0];
        if (!oldest.is_null() && oldest.as<int>() > program_generation) {
            return fmt::format(
                "it is marked as incompatible with this program, which is of generation {} where "
                "it needs {}; start a program as new as what migrated it last (fanfare db migrate)",
                program_generation, oldest.as<int>());
        }
    }
    std::set<std::string, std::less<>> applied;
    for (const auto& row : work.exec("SELECT name FROM schema_migration")) {
        applied.emplace(row[0].c_str());
    }
    const auto known = known_migrations();
    const auto missing = std::find_if(known.begin(), known.end(), [&applied](const auto& name) {
        return !applied.contains(name);
    });
    if (missing == known.end()) return {};
    return fmt::format("it is older than this program needs: it lacks {}; {}", *missing, remedy);
}

namespace {

/// Why it cannot be used: now, where that is_retryable(), or at all.
Result<void> look(const Secret& url) {
    auto doing = fmt::format("use the ledger at {}", postgres::parse_address(url).text());
    bool is_open = false;
    try {
        postgres::Connection connection{url, {}};
        is_open = true;
        const auto why = unfitness(connection);
        if (why.empty()) return {};
        return fail(Errc::config_invalid, fmt::format("{}: {}", doing, why));
    } catch (const std::exception& fault) {
        return postgres::to_failure(fault, is_open, std::move(doing));
    }
}

}  // namespace

Result<void> check_fit(const Secret& url) {
    auto looked = look(url);
    if (!looked && is_retryable(looked.error().code)) return {};
    return looked;
}

Result<bool> await_fit(const Secret& url, const std::function<bool()>& pause) {
    for (bool is_told = false;; is_told = true) {
        const auto looked = look(url);
        if (looked) return true;
        if (!is_retryable(looked.error().code)) return looked.error();
        if (!is_told) spdlog::warn("{}; waiting for it", describe(looked.error()));
        if (!pause()) return false;
    }
}

}  // namespace fanfare::ledger
