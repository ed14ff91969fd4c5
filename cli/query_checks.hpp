#pragma once

#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"

namespace fanfare::cli {

/// Appends what is wrong with the queries of a system, asked of its own database: whether it takes
/// them, their columns and types, and whether one that shall only read writes. Of each due query
/// one row is read, for the parameters it gives to the audience; statements that write are
/// explained, not run. To `advice` goes which index would make contacts cheaper.
///
/// Bounds    the system's statement_timeout a statement.
void check_queries(const System& system, const Settings& settings, Problems& problems,
                   Problems& advice);

}  // namespace fanfare::cli
