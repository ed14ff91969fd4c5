#pragma once

#include "core/clock/clock.hpp"
#include "core/ledger/chunks.hpp"

#include <cstdint>
#include <span>
#include <vector>

/// Parts of chunks that wait longer than the rest. Functions block, throw what libpqxx throws,
/// and belong inside postgres::Pool::run().
namespace fanfare::ledger {

/// People of a chunk who are to be served later.
struct Split {
    TimePoint next_at;
    std::vector<std::uint32_t> positions;  // In the chunk, ascending, not empty.
};

/// Moves people of a claimed chunk of whom nobody was tried yet into chunks of their own, in one
/// transaction fenced by epoch, and takes them out of `chunk`; somebody stays. False when the
/// chunk was taken over. Safe to repeat after a lost answer.
[[nodiscard]] bool split_chunk(Connection& connection, ClaimedChunk& chunk,
                               std::span<const Split> splits);

}  // namespace fanfare::ledger
