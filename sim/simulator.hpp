#pragma once

#include "sim/options.hpp"

namespace fanfare::sim {

/// Listens, writes the files others wait for, and serves until SIGTERM or SIGINT.
/// Throws std::exception when it cannot start.
void run_simulator(const Options& options);

}  // namespace fanfare::sim
