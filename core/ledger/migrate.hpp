#pragma once

#include "core/error/failure.hpp"
#include "core/settings/secret.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace fanfare::ledger {

/// How often a migration is tried that programs at work stand against, and how long the pause is
/// then; a lock by itself is waited for as long as any connection's lock_timeout says.
inline constexpr int migrate_tries_max = 10;
inline constexpr std::chrono::milliseconds migrate_pause{200};

/// Hears that the named migration failed so many times by now, and is tried again.
using MigrateTriedAgain = std::function<void(const std::string& name, int tries)>;

/// Applies the migrations of `dir` (NNN_name.sql, in order) that the database does not have
/// yet, each in one transaction, and returns the names of those. Safe to run twice and by
/// two at once, and while programs work. Fails when an applied migration was changed afterwards.
///
/// Errors  store_conflict after migrate_tries_max deadlocks or locks that did not come: what was
///         applied before stays, the rest changed nothing, and the next run may be well.
[[nodiscard]] Result<std::vector<std::string>> migrate(const Secret& url,
                                                       const std::filesystem::path& dir,
                                                       const MigrateTriedAgain& tried_again = {});

}  // namespace fanfare::ledger
