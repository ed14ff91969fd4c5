#pragma once

#include "core/settings/settings.hpp"

#include <spdlog/formatter.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string_view>

namespace fanfare {

/// Sets up the process's logger: one line per event on standard error, JSON or text,
/// control characters escaped, nothing personal (what is logged is ids, codes and counts).
/// Returns at once when the level or format is unknown: the loader has refused that. Where nobody
/// reads standard error any more its lines are lost, and the process goes on: SIGPIPE is ignored.
void start_log(std::string_view program, const ObserveSettings& settings);

/// How it writes an event: `format` is "json" or "text".
[[nodiscard]] std::unique_ptr<spdlog::formatter> log_formatter(std::string_view format);

/// What this thread logs while one lives is about a job of this trace (an encode_trace() text; ""
/// and what is none: of none), and its lines say so. Never lives across a co_await.
class LogTrace {
public:
    explicit LogTrace(std::string_view trace) noexcept;
    ~LogTrace();
    LogTrace(const LogTrace&) = delete;
    LogTrace& operator=(const LogTrace&) = delete;

private:
    std::string_view before_;
};

}  // namespace fanfare
