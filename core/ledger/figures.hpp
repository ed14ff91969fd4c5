#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/postgres/connection.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// What is one number for all programs, as the ledger has it. Functions block, throw what libpqxx
/// throws, and belong inside postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

/// People who went from one outcome to another, ever. None: from or to outside the ledger, where
/// whoever is planned comes from and whoever is deleted goes to.
struct Moves {
    std::string system, kind;
    Channel channel = Channel::email;
    std::optional<Outcome> from, to;
    std::int64_t people = 0;
};

/// Where people wait who have no final outcome yet.
enum class Waiting : std::uint8_t {
    due,     // For a worker that claims their chunk.
    later,   // For a moment: their next attempt, the end of quiet hours.
    held,    // A worker has claimed their chunk.
    paused,  // Due, and held back by an operator: their job, its kind, their channel, or all
             // accounts of it.
};

struct Backlog {
    Channel channel = Channel::email;
    Lane lane = Lane::normal;
    Waiting waiting = Waiting::due;
    std::int64_t people = 0;
    double oldest_s = 0;  // How long the oldest chunk has been due.
};

/// Jobs that are not over.
struct OpenJobs {
    Lane lane = Lane::normal;
    bool is_planned = false;
    std::int64_t jobs = 0;
};

/// Rows of a system's outbox that are published and that no worker has taken yet.
struct OutboxBacklog {
    std::string system;
    std::int64_t rows = 0;
    double oldest_s = 0;
};

struct Figures {
    std::vector<Moves> moves;
    std::vector<Backlog> backlog;
    std::vector<OpenJobs> jobs;
    std::vector<OutboxBacklog> outboxes;
    std::int64_t overdue = 0;       // Notifications that are due and not published.
    double overdue_s = 0;           // Since the oldest of them was due.
    std::int64_t pauses = 0;        // In force.
    double oldest_day = 0;          // Whose people are kept, in seconds since 1970; 0: none.
    std::int64_t replays = 0;       // Ever ordered ...
    std::int64_t replays_open = 0;  // ... and not yet carried out.
};

/// An account of the settings, and whom it serves.
struct NamedAccount {
    std::string name;
    Channel channel = Channel::email;
};

/// All of them, by one statement: they fit together.
[[nodiscard]] Figures read_figures(Connection& connection, std::span<const NamedAccount> accounts);

/// Adds up to `limit` counted moves to the totals; how many there were. Several at once share them.
[[nodiscard]] std::size_t fold_moves(Connection& connection, int limit);

}  // namespace fanfare::ledger
