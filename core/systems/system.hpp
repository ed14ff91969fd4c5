#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/settings/problem.hpp"
#include "core/settings/secret.hpp"
#include "core/settings/settings.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fanfare {

/// A query of a system folder. Named parameters (":user_id") became positional ones, all
/// sent as text and cast by PostgreSQL; text is never substituted.
struct Query {
    std::string sql;                      // With $1, $2, ...
    std::vector<std::string> parameters;  // Names in positional order.
    std::string file;                     // For messages.
    int line = 0;
};

/// Who: yields one column `recipient_id` (cast to text), in any order, repeats allowed.
struct Audience {
    std::string name;
    Query query;
    /// The parameter that says whose people these are; "": they are nobody's in particular. For
    /// a client of the API that is bound to an owner it is that owner, always.
    std::string owner{};
    std::vector<std::string> optional{};  // Parameters that may be absent: null then.

    [[nodiscard]] bool needs(std::string_view parameter) const;
    /// True where an owner is all that it takes: everybody of theirs.
    [[nodiscard]] bool is_everybody_of_an_owner() const;
    /// Values in the order of the query's parameters, good as long as `params`; null where one is
    /// absent.
    [[nodiscard]] std::vector<const char*> values(
        const std::map<std::string, std::string>& params) const;
};

/// Where to reach them on one channel, and who they are. Yields `recipient_id`, `address` (null:
/// none), and optionally `locale`, `time_zone`, `opted_out` (bool), and further columns: the
/// person's variables. Several rows of one recipient are several addresses (devices) of that
/// person.
struct Contact {
    Query query;  // Parameter `:recipients` (text[], sorted): of these people.
    /// The query as it was written, where it names no `:recipients` and says where everybody is
    /// reached: `query` is made of it, and so is any other choice of people. "": it names them.
    std::string relation{};
};

/// `relation` cut down to those for whom `condition` holds, which names them
/// `contact.recipient_id`.
[[nodiscard]] std::string contacts_where(std::string_view relation, std::string_view condition);

/// True for the columns of a contact query that are not the person's variables.
[[nodiscard]] bool is_reserved_column(std::string_view name);

enum class Dedupe : std::uint8_t { person, address };

/// When a kind leaves people alone: from `from` to `to` on the clock on their wall.
struct QuietHours {
    std::chrono::minutes from{0};  // Since midnight; after `to`: over midnight.
    std::chrono::minutes to{0};
    bool drops = false;     // Otherwise people are told when they end.
    std::string time_zone;  // Of people who have none; "": UTC.
    bool operator==(const QuietHours&) const = default;
};

/// At most `count` jobs of a kind reach one person within any `window`.
struct Cap {
    static constexpr std::chrono::hours window_max{8'760};  // A year.
    std::int32_t count = 0;
    std::chrono::hours window{0};
    bool operator==(const Cap&) const = default;
};

/// One kind of notification of a system.
struct Kind {
    std::string name;  // "show.reminder"
    Lane lane = Lane::normal;
    std::string audience;              // Default audience of jobs of this kind ...
    std::string told;                  // ... or whoever was told of this kind, of the same subject.
    std::vector<std::string> cancels;  // Kinds whose jobs of the same subject end before this.
    std::vector<Channel> channels;     // Default channels.
    std::string templates;             // Folder under templates/; default: the kind's name.
    Dedupe dedupe = Dedupe::person;
    std::vector<std::string> times;  // Variables of `data` that are moments (ISO 8601): each is
                                     // shown in the reader's zone and locale.
    std::map<std::string, std::string> person_defaults;  // For missing values: name -> "there".
    std::string collapse_key;                            // Push.
    std::array<std::optional<DoubtPolicy>, channel_count> on_doubt;
    std::string list;  // What a person unsubscribes from; default: the system's name. "": the
                       // kind is no bulk mail (a receipt, a refund), nobody can.
    /// Where to turn to when a channel cannot reach a person: no live address, or dead ones only.
    std::array<std::optional<Channel>, channel_count> fallback;
    std::optional<QuietHours> quiet_hours;  // Not for urgent jobs.
    std::optional<Cap> at_most;
    bool stop_when_gone = false;  // A job ends when its row is found no more before it expires.
};

/// Finds what is due. Parameters `:horizon` (timestamptz). Yields `subject` (text),
/// `occurrence` (timestamptz: the moment it is about), `due_at`, `expires_at`
/// (timestamptz), `params` (json: audience parameters), `data` (json: variables).
struct Schedule {
    std::string kind;
    Query query;
};

/// A folder config/systems/<name>/: one existing backend, served without changing it.
struct System {
    std::string name;       // The folder's name.
    Secret database;        // Empty: the ledger's database.
    bool optional = false;  // Left out where the variable that names its database is not set.
    bool absent = false;    // It is: checked like any other, but not served.
    std::chrono::milliseconds statement_timeout{30'000};
    std::map<std::string, Audience, std::less<>> audiences;
    std::array<std::optional<Contact>, channel_count> contacts;
    std::map<std::string, Kind, std::less<>> kinds;
    std::vector<Schedule> schedules;
    /// Writes dead addresses of a channel back: parameter `:addresses` (text[]). Optional; needs
    /// a database user who may.
    std::array<std::optional<Query>, channel_count> write_backs;
    /// Tells the system that a job of a kind is done: parameters `:job`, `:subject`, `:occurrence`
    /// and those of the kind's audience. Optional as above.
    std::map<std::string, Query, std::less<>> done;
    std::string notify;  // A channel on which the database says that something may be due.
    std::string outbox;  // A table of jobs that the backend fills (docs/examples/outbox.sql).

    /// True when there is any of the statements that write.
    [[nodiscard]] bool writes_back() const;
    [[nodiscard]] const Kind* find_kind(std::string_view kind) const;
    [[nodiscard]] const Audience* find_audience(std::string_view audience) const;
};

using Systems = std::map<std::string, System, std::less<>>;

/// Reads one system.yaml that is at hand; the folder in `file` names the system.
[[nodiscard]] std::variant<System, Problems> parse_system(const std::filesystem::path& file,
                                                          std::string_view text,
                                                          const Environment& environment);

/// Reads every folder below `dir`. Finds every problem before it returns. Absent systems are
/// left out.
[[nodiscard]] std::variant<Systems, Problems> load_systems(const std::filesystem::path& dir,
                                                           const Environment& environment);

}  // namespace fanfare
