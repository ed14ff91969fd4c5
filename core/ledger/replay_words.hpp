#pragma once

#include "core/ledger/replays.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Whom a replay is to choose, as people and programs write it: at a terminal, in a request, in the
/// ledger.
namespace fanfare::ledger {

/// What was written, word by word.
struct ReplayWords {
    std::vector<std::string> jobs;
    std::string system, kind, subject, channel, account, since, until;
    std::vector<std::string> outcomes;  // None: failed.
    std::vector<std::string> reasons;
    bool include_unknown = false;  // Said in so many words: some may be told twice.
};
/// Why that chooses nobody.
struct WordFault {
    std::string_view field;  // Of ReplayWords; "": of all of them.
    std::string problem;
    std::string expected;
};
[[nodiscard]] std::variant<ReplayFilter, WordFault> read_words(const ReplayWords& words);

/// As it is kept and shown: JSON.
[[nodiscard]] std::string to_json(const ReplayFilter& filter);
[[nodiscard]] ReplayFilter parse_filter(std::string_view json);

}  // namespace fanfare::ledger
