#pragma once

#include <pqxx/connection>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fanfare::postgres {

/// The statements of one connection that PostgreSQL has parsed and keeps a plan of: for a small job
/// parsing and planning the same dozen statements costs more than executing them.
///
/// A plan is made anew after uses_max: one of a small table suits no large one. A name is made of
/// its statement's text, so that a pooler which hands a session from one program to another gives
/// nobody the statement of somebody else.
///
/// To prepare is a transaction of its own, in which a lock on a table may be waited for: now() in
/// a statement says when it was executed, not when it was asked for.
///
/// Behind a pooler that changes sessions between transactions nothing stays prepared: once a
/// statement of a database is gone, none is prepared there any more, in the whole program, which is
/// said once in the log. Other databases are others'.
///
/// Threads   those of its connection.
class PreparedStatements {
public:
    static constexpr int uses_max = 500;

    /// `database`: all connections to which know of each other's sessions.
    explicit PreparedStatements(std::string_view database);

    /// The name under which `sql` can be executed now; null where statements are not prepared.
    /// Throws what libpqxx throws.
    const std::string* prepare(pqxx::connection& connection, const std::string& sql);

    /// Whether an SQLSTATE says that the session is not the one in which a statement was prepared.
    [[nodiscard]] static bool are_lost(std::string_view state);
    /// That, or that the answer has other types than when the statement was prepared.
    [[nodiscard]] static bool is_to_blame(std::string_view state);
    /// What a statement failed with, prepared or about to be.
    void note(const std::string& sql, std::string_view state);

private:
    struct Statement {
        std::string name;
        int uses = 0;
    };
    std::shared_ptr<std::atomic<bool>> are_sessions_kept_;
    std::unordered_map<std::string, Statement> statements_;  // By text.
};

}  // namespace fanfare::postgres
