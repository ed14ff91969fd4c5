#pragma once

#include "core/error/failure.hpp"
#include "core/settings/secret.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace fanfare::ledger {

/// Applies the migrations of `dir` (NNN_name.sql, in order) that the database does not have
/// yet, each in one transaction, and returns the names of those. Safe to run twice and by
/// two at once. Fails when an applied migration was changed afterwards.
[[nodiscard]] Result<std::vector<std::string>> migrate(const Secret& url,
                                                       const std::filesystem::path& dir);

}  // namespace fanfare::ledger
