#pragma once

#include "cli/command.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace fanfare::cli {

/// How a job is watched from the command line.
struct FollowOptions {
    bool json = false;
    std::optional<std::chrono::seconds> timeout;
    bool wait_until_known = false;  // The job may not be in the ledger yet.
};

/// Shows a job until it is over: redrawn on a terminal, a line a second elsewhere. The exit
/// code: ok when it is over, whatever its outcomes; differs when it failed as a whole.
[[nodiscard]] int follow(Ledger& ledger, const std::string& job, const FollowOptions& options);

/// Shows a job once.
[[nodiscard]] int show(Ledger& ledger, const std::string& job, bool json);

/// What a command says of a job whose people are no longer kept.
[[nodiscard]] Stop no_longer_kept(const std::string& job);

/// Why something is done, as the ledger keeps it and lists show it; ends the command when it is
/// too long, or no line.
[[nodiscard]] std::string because_or_stop(const std::string& text);

/// A job id as we name jobs by it; ends the command when it cannot be one.
[[nodiscard]] std::string job_id_or_stop(const std::string& text);

}  // namespace fanfare::cli
