#include "core/postgres/prepared.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdint>

namespace fanfare::postgres {
namespace {

std::atomic<bool> are_sessions_kept{true};

/// FNV-1a of 64 bits: the same in every program and version.
std::uint64_t hash_of_text(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return hash;
}

}  // namespace

const std::string* PreparedStatements::prepare(pqxx::connection& connection,
                                               const std::string& sql) {
    if (!are_sessions_kept) return nullptr;
    auto& statement = statements_[sql];
    if (statement.name.empty()) {
        const auto name = fmt::format("fanfare_{:016x}", hash_of_text(sql));
        connection.prepare(name, sql);
        statement.name = name;
    } else if (statement.uses == uses_max) {
        statement.uses = 0;
        connection.unprepare(statement.name);
        connection.prepare(statement.name, sql);
    }
    ++statement.uses;
    return &statement.name;
}

bool PreparedStatements::are_lost(std::string_view state) {
    // No statement of this name; one already. Ours are named by their text, once a session.
    if (state != "26000" && state != "42P05") return false;
    if (are_sessions_kept.exchange(false)) {
        spdlog::warn(
            "a pooler before PostgreSQL changes sessions between transactions: statements are not "
            "prepared any more, which costs PostgreSQL's time; session pooling keeps them");
    }
    return true;
}

}  // namespace fanfare::postgres
