#pragma once

#include "core/settings/problem.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// Collects everything that is wrong with one file, so that a person mends it once.
struct Report {
    std::string file;
    Problems problems;

    /// `value` as found; a long one is cut and control characters are replaced.
    void add(int line, const std::string& key, std::string_view value, std::string expected);

    /// Nothing was found where something must be.
    void missing(int line, const std::string& key, std::string expected);

    /// A key that nobody reads, with the nearest one of `known` that somebody does.
    void unknown(int line, const std::string& key, const std::vector<std::string>& known);
};

/// What stands in Problem::value for a secret.
inline constexpr std::string_view not_shown = "(not shown)";

/// The one of `known` that `word` was probably meant to be; empty when none is near.
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& known);

/// Text fit for one line of a log: control characters replaced, cut after `bytes_max`.
[[nodiscard]] std::string one_line(std::string_view text, std::size_t bytes_max = 80);

/// "worker" + "lease_ms" = "worker.lease_ms"; an empty part adds nothing.
[[nodiscard]] std::string join_key(std::string_view front, std::string_view back);

}  // namespace fanfare
