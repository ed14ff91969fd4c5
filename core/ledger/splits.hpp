#pragma once

#include "core/clock/clock.hpp"
#include "core/ledger/chunks.hpp"

#include <pqxx/transaction>

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

/// The next number of a split of the job, over all its channels: a split and its fallback share
/// one. The job's row stays locked.
[[nodiscard]] std::int32_t next_split_number(pqxx::transaction_base& work, const std::string& job);

/// Moves people of a claimed chunk of whom nobody was tried yet into chunks of their own, in one
/// transaction fenced by epoch, and takes them out of `people`; somebody stays. False when the
/// chunk was taken over. Safe to repeat after a lost answer.
[[nodiscard]] bool split_chunk(Connection& connection, const ChunkClaim& claim, ChunkPeople& people,
                               std::span<const Split> splits);

}  // namespace fanfare::ledger
