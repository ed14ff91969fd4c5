#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

/// What may stand next on a command line: what a shell offers when somebody presses the tab key.
namespace fanfare::cli {

struct Candidate {
    std::string word;
    std::string about;
};

/// What the last of `words`, which may be "", can be completed to; `words` are those behind the
/// program's name. Nothing where a value is wanted that only the caller knows, such as a file.
[[nodiscard]] std::vector<Candidate> candidates(const CLI::App& app,
                                                const std::vector<std::string>& words);

}  // namespace fanfare::cli
