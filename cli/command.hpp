#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/printable.hpp"
#include "core/error/failure.hpp"
#include "core/postgres/connection.hpp"
#include "core/program/command_line.hpp"
#include "core/program/commands.hpp"
#include "core/program/places.hpp"
#include "core/rendering/templates.hpp"
#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"

#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

/// What a person types. One file a command: it declares its options, and one function does it.
namespace fanfare::cli {

// Beside those that all programs have.
inline constexpr int exit_differs = 1;  // verify found differences, a job failed.
inline constexpr int exit_rejected = 65;
inline constexpr int exit_timeout = 75;

/// What every command shares.
struct Globals {
    std::string config = default_settings_file();
    bool json = false;
    std::function<int()> chosen;  // What the chosen command does; set while arguments are read.
};

/// Ends a command with a sentence on standard error and an exit code. What is quoted in it cannot
/// begin a line of its own.
struct Stop : std::runtime_error {
    Stop(int code, const std::string& sentence, const std::string& advice = {})
        : std::runtime_error{printable(sentence) +
                             (advice.empty() ? std::string{} : "\n  " + printable(advice))},
          exit_code{code} {}
    Stop(int code, const Problems& problems);
    int exit_code;
};

/// The settings; ends the command with every problem when they are unsound.
[[nodiscard]] Settings load_settings_or_stop(const Globals& globals);
[[nodiscard]] Systems load_systems_or_stop(const Settings& settings);
[[nodiscard]] Templates load_templates_or_stop(const Settings& settings);
/// The account of that name; ends the command where there is none.
[[nodiscard]] const AccountSettings& account_or_stop(const Settings& settings,
                                                     const std::string& name);

/// A file that the command line names; ends the command where it cannot be read.
[[nodiscard]] std::ifstream open_or_stop(const std::string& file);

/// The exit code and the remedy of a fault of ours.
[[nodiscard]] Stop stop_for(const Failure& failure);

/// The value, or the end of the command.
template <class T>
T value_or_stop(Result<T> result) {
    if (!result) throw stop_for(result.error());
    if constexpr (!std::is_void_v<T>) return std::move(result.value());
}

/// The ledger, one connection, opened when first asked; another after one was lost. Ends the
/// command where the ledger is not for this program, unless it is about to be told what it lacks.
class Ledger {
public:
    enum class Fit : bool { needed, any };

    explicit Ledger(const Settings& settings, Fit fit = Fit::needed)
        : url_{settings.database.url}, fit_{fit} {}

    /// Runs `work(Connection&)`; what libpqxx throws becomes a Failure.
    template <class Work>
    [[nodiscard]] auto attempt(const std::string& doing, const Work& work)
        -> Result<decltype(work(std::declval<postgres::Connection&>()))> {
        using Value = Result<decltype(work(std::declval<postgres::Connection&>()))>;
        try {
            if (!connection_) {
                connection_.emplace(url_, postgres::Limits{});
                if (fit_ == Fit::needed) expect_fit(*connection_);
            }
            return Value{boost::system::in_place_value, work(*connection_)};
        } catch (const Stop&) {
            throw;  // The command's own word.
        } catch (const std::exception& fault) {
            const bool open = connection_ && connection_->is_open();
            connection_.reset();
            return Value{boost::system::in_place_error, postgres::to_failure(fault, open, doing)};
        }
    }
    /// The same, or the end of the command.
    template <class Work>
    auto run(const std::string& doing, const Work& work) {
        return value_or_stop(attempt(doing, work));
    }

private:
    void expect_fit(postgres::Connection& connection) const;

    Secret url_;
    Fit fit_;
    std::optional<postgres::Connection> connection_;
};

/// Who types: kept beside what they order. "ada@host1".
[[nodiscard]] std::string somebody();

/// The moment that a flag names, nothing for ""; ends the command where it is none.
[[nodiscard]] std::optional<TimePoint> moment_or_stop(const char* flag, const std::string& text);

/// Makes `action` what the program does when `command` was typed, and none of its own.
void choose(const Command& command, Globals& globals, std::function<int()> action);

// The commands, as `fanfare --help` lists them.
void add_publish(const Command& app, Globals& globals);
void add_status(const Command& app, Globals& globals);
void add_delivery(const Command& app, Globals& globals);
void add_person(const Command& app, Globals& globals);
void add_notifications(const Command& app, Globals& globals);
void add_dead(const Command& app, Globals& globals);
void add_verify(const Command& app, Globals& globals);
void add_audit(const Command& app, Globals& globals);
void add_cancel(const Command& app, Globals& globals);
void add_replay(const Command& app, Globals& globals);
void add_pause(const Command& app, Globals& globals);
void add_accounts(const Command& app, Globals& globals);
void add_suppress(const Command& app, Globals& globals);
void add_config(const Command& app, Globals& globals);
void add_doctor(const Command& app, Globals& globals);
void add_db(const Command& app, Globals& globals);
void add_topics(const Command& app, Globals& globals);
void add_completion(const Command& app, Globals& globals);

}  // namespace fanfare::cli
