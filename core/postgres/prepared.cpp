#include "core/postgres/prepared.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdint>
#include <map>
#include <mutex>

namespace fanfare::postgres {
namespace {

/// FNV-1a of 64 bits: the same in every program and version.
std::uint64_t hash_of_text(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return hash;
}

/// Whether those of a database are kept, as far as anybody in this program knows. By a hash: a URL
/// holds a password.
std::shared_ptr<std::atomic<bool>> sessions_of(std::string_view database) {
    static std::mutex mutex;
    static std::map<std::uint64_t, std::shared_ptr<std::atomic<bool>>> known;
    const std::lock_guard guard{mutex};
    auto& sessions = known[hash_of_text(database)];
    if (sessions == nullptr) sessions = std::make_shared<std::atomic<bool>>(true);
    return sessions;
}

}  // namespace

PreparedStatements::PreparedStatements(std::string_view database)
    : are_sessions_kept_{sessions_of(database)} {}

const std::string* PreparedStatements::prepare(pqxx::connection& connection,
                                               const std::string& sql) {
    if (!*are_sessions_kept_) return nullptr;
    auto& statement = statements_[sql];
    // Forgotten before it is prepared anew, which may fail.
    if (statement.uses >= uses_max) {
        connection.unprepare(statement.name);
        statement = {};
    }
    if (statement.name.empty()) {
        const auto name = fmt::format("fanfare_{:016x}", hash_of_text(sql));
        connection.prepare(name, sql);
        statement.name = name;
    }
    ++statement.uses;
    return &statement.name;
}

bool PreparedStatements::are_lost(std::string_view state) {
    // No statement of this name; one already. Ours are named by their text, once a session.
    return state == "26000" || state == "42P05";
}

bool PreparedStatements::is_to_blame(std::string_view state) {
    return are_lost(state) || state == "0A000";
}

void PreparedStatements::note(const std::string& sql, std::string_view state) {
    const auto known = statements_.find(sql);
    const bool was_prepared = known != statements_.end() && !known->second.name.empty();
    if (was_prepared && state == "0A000") known->second.uses = uses_max;  // Anew next time.
    if (!are_lost(state) || !are_sessions_kept_->exchange(false)) return;
    spdlog::warn(
        "a pooler before a PostgreSQL changes sessions between transactions: statements are not "
        "prepared there any more, which costs PostgreSQL's time; session pooling keeps them");
}

}  // namespace fanfare::postgres
