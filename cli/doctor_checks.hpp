#pragma once

#include "cli/config_checks.hpp"
#include "cli/finding.hpp"

#include <vector>

/// What `fanfare doctor` looks at. Each part appends what it found, in order or not.
namespace fanfare::cli {

using Findings = std::vector<Finding>;

/// What `config check --database --kafka` finds, and what to type for each of it.
[[nodiscard]] Findings of_config(const Globals& globals, const ConfigFound& found);

/// The ledger's version, its clock, what is held back, plans and letters that wait for somebody.
void look_at_ledger(const Settings& settings, Findings& findings);

/// Whether workers read, and how far they are behind.
void look_at_broker(const Settings& settings, Findings& findings);

/// Credentials, by a call that changes and sends nothing; limits; and what workers say of them.
void look_at_accounts(const Settings& settings, Findings& findings);

/// The system's time-zone data.
void look_at_time_zones(Findings& findings);

}  // namespace fanfare::cli
