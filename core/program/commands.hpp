#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

/// What a program takes on its command line. CLI11 is a header: whoever includes it compiles all of
/// it once more, which commands.cpp does for everybody.
namespace fanfare {

/// One option, flag or plain word of a command.
class Flag {
public:
    explicit Flag(CLI::Option& option) noexcept : option_{&option} {}

    Flag& required();
    Flag& shows_default();
    Flag& from_environment(const char* variable);
    Flag& within(int least, int most);
    Flag& within(double least, double most);
    Flag& one_of(const std::vector<std::string>& words);
    Flag& ipv4();
    /// `mistake` says what is wrong with a value, "" for nothing.
    Flag& checked(std::function<std::string(const std::string&)> mistake);
    /// Each of several counts.
    Flag& repeats();
    /// Of the words behind it one is its own.
    Flag& takes_one();
    Flag& cut_at_commas();
    Flag& excludes(const Flag& other);

private:
    CLI::Option* option_;
};

/// A command, or a group of options.
class Command {
public:
    explicit Command(CLI::App& app) noexcept : app_{&app} {}

    [[nodiscard]] Command command(const std::string& name, const std::string& about = {}) const;
    /// Of whose options exactly one must be given.
    [[nodiscard]] Command exactly_one(const std::string& name, const std::string& about) const;
    /// `into` outlives the reading. For the types that commands.cpp lists.
    template <class Value>
    Flag option(const std::string& names, Value& into, const std::string& about = {}) const;
    Flag flag(const std::string& names, bool& into, const std::string& about) const;
    /// Those so far, without --help.
    [[nodiscard]] std::vector<Flag> flags() const;

    /// One of its commands must stand behind it.
    void needs_command() const;
    /// No help lists it.
    void hide() const;
    /// Called while arguments are read, where it is given and none of its own commands.
    void given(std::function<void()> then) const;

    [[nodiscard]] const CLI::App& app() const noexcept { return *app_; }

private:
    CLI::App* app_;
};

/// The command line of one program.
class CommandLine {
public:
    /// `name` as help calls the program; "": as it was started.
    explicit CommandLine(const std::string& about, const std::string& name = {});
    ~CommandLine();
    CommandLine(const CommandLine&) = delete;
    CommandLine& operator=(const CommandLine&) = delete;

    [[nodiscard]] Command root() const noexcept { return Command{*app_}; }
    void version(const std::string& text);
    void footer(const std::string& text);
    /// Of all that is added from now on: options of the program may stand behind commands, too.
    void options_anywhere();
    /// Of all that is added from now on: help shows what counts where it is not given.
    void shows_defaults();

    /// Nothing where all is read; else what to end with after --help, --version or a mistake, which
    /// is printed.
    [[nodiscard]] std::optional<int> read(int argc, char** argv);
    /// Prints what is wrong with an option that was read.
    void complain(const std::string& option, const std::string& mistake) const;

private:
    std::unique_ptr<CLI::App> app_;
};

}  // namespace fanfare
