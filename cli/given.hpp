#pragma once

#include <string>

namespace CLI {
class App;
}

namespace fanfare::cli {

/// The first option that was given with nothing in it, as a script does whose variable is empty:
/// "--recipients is given, but empty". "" where there is none. Nobody means "no bounds" by it, so
/// it never counts as not given.
[[nodiscard]] std::string empty_option(const CLI::App& app);

/// The first value that is no UTF-8 text, which neither the ledger nor Kafka takes: "--because is
/// given, but no UTF-8 text". "" where there is none.
[[nodiscard]] std::string unreadable_option(const CLI::App& app);

/// What to say of the first word that is no command where one must stand; "" where there is none.
[[nodiscard]] std::string misspelt_command(const CLI::App& app, int argc, char** argv);

}  // namespace fanfare::cli
