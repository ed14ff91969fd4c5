#pragma once

#include "core/ledger/chunks.hpp"

#include <string>

namespace fanfare {

/// For the log, of a chunk that is settled: how many of its people nobody tries any more though
/// nobody refused them, and the most frequent cause. "3 people are given up, most of them for
/// throttled"; "" where there are none. Names nobody.
[[nodiscard]] std::string given_up_in(const ledger::ChunkPeople& people);

}  // namespace fanfare
