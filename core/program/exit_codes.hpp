#pragma once

/// What a program of ours ends with; docs/operations.md lists them. After sysexits.h.
namespace fanfare {

inline constexpr int exit_ok = 0;
inline constexpr int exit_usage = 64;
inline constexpr int exit_no_input = 66;  // A file that the command line names cannot be read.
inline constexpr int exit_unavailable = 69;
inline constexpr int exit_bug = 70;
inline constexpr int exit_config = 78;

}  // namespace fanfare
