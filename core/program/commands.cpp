#include "core/program/commands.hpp"

#include "core/program/exit_codes.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <filesystem>

namespace fanfare {

Flag& Flag::required() {
    option_->required();
    return *this;
}

Flag& Flag::shows_default() {
    option_->capture_default_str();
    return *this;
}

Flag& Flag::from_environment(const char* variable) {
    option_->envname(variable);
    return *this;
}

Flag& Flag::within(int least, int most) {
    option_->check(CLI::Range(least, most));
    return *this;
}

Flag& Flag::within(double least, double most) {
    option_->check(CLI::Range(least, most));
    return *this;
}

Flag& Flag::one_of(const std::vector<std::string>& words) {
    option_->check(CLI::IsMember(words));
    return *this;
}

Flag& Flag::ipv4() {
    option_->check(CLI::ValidIPV4);
    return *this;
}

Flag& Flag::checked(std::function<std::string(const std::string&)> mistake) {
    option_->check(std::move(mistake));
    return *this;
}

Flag& Flag::repeats() {
    option_->take_all();
    return *this;
}

Flag& Flag::takes_one() {
    option_->allow_extra_args(false);
    return *this;
}

Flag& Flag::cut_at_commas() {
    option_->delimiter(',');
    return *this;
}

Flag& Flag::excludes(const Flag& other) {
    option_->excludes(other.option_);
    return *this;
}

Command Command::command(const std::string& name, const std::string& about) const {
    return Command{*app_->add_subcommand(name, about)};
}

Command Command::exactly_one(const std::string& name, const std::string& about) const {
    auto* const group = app_->add_option_group(name, about);
    group->require_option(1);
    return Command{*group};
}

template <class Value>
Flag Command::option(const std::string& names, Value& into, const std::string& about) const {
    return Flag{*app_->add_option(names, into, about)};
}

using Text = const std::string&;
template Flag Command::option(Text, std::string&, Text) const;
template Flag Command::option(Text, std::filesystem::path&, Text) const;
template Flag Command::option(Text, int&, Text) const;
template Flag Command::option(Text, unsigned&, Text) const;
template Flag Command::option(Text, std::uint16_t&, Text) const;
template Flag Command::option(Text, std::int64_t&, Text) const;
template Flag Command::option(Text, std::uint64_t&, Text) const;
template Flag Command::option(Text, double&, Text) const;
template Flag Command::option(Text, std::optional<std::string>&, Text) const;
template Flag Command::option(Text, std::optional<std::int64_t>&, Text) const;
template Flag Command::option(Text, std::vector<std::string>&, Text) const;

Flag Command::flag(const std::string& names, bool& into, const std::string& about) const {
    return Flag{*app_->add_flag(names, into, about)};
}

std::vector<Flag> Command::flags() const {
    std::vector<Flag> all;
    for (auto* const option : app_->get_options()) {
        if (option != app_->get_help_ptr()) all.emplace_back(*option);
    }
    return all;
}

void Command::needs_command() const { app_->require_subcommand(1); }

void Command::hide() const { app_->group(""); }

void Command::given(std::function<void()> then) const {
    app_->callback([app = app_, then = std::move(then)] {
        if (app->get_subcommands().empty()) then();
    });
}

CommandLine::CommandLine(const std::string& about, const std::string& name)
    : app_{std::make_unique<CLI::App>(about, name)} {}

CommandLine::~CommandLine() = default;

void CommandLine::version(const std::string& text) { app_->set_version_flag("--version", text); }

void CommandLine::footer(const std::string& text) { app_->footer(text); }

void CommandLine::options_anywhere() { app_->fallthrough(); }

void CommandLine::shows_defaults() { app_->option_defaults()->always_capture_default(); }

std::optional<int> CommandLine::read(int argc, char** argv) {
    try {
        app_->parse(argc, argv);
        return std::nullopt;
    } catch (const CLI::ParseError& fault) {
        return app_->exit(fault) == 0 ? exit_ok : exit_usage;
    }
}

void CommandLine::complain(const std::string& option, const std::string& mistake) const {
    app_->exit(CLI::ValidationError{option, mistake});
}

}  // namespace fanfare
