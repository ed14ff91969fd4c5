#pragma once

#include "core/ledger/chunks.hpp"
#include "core/postgres/connection.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

/// How often people may be told of a kind: places, each held by a job. Functions block, throw what
/// libpqxx throws, and belong inside postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

struct CapQuestion {
    std::string system;
    std::string kind;
    std::string job;  // Does not count itself: it may reach a person on several channels. Of jobs
                      // that took people over the first.
    std::int32_t count = 0;
    std::chrono::hours window{0};
};

/// Those of `recipients` (an array literal) whom `count` jobs have reached within the window.
[[nodiscard]] std::vector<std::string> over_cap(Connection& connection, const CapQuestion& question,
                                                const std::string& recipients);

/// Takes a place for each of `recipients` who has one left, or of this job already; returns the
/// others. What is taken here nobody else is given: ask for those only who are told next. Nothing
/// is taken where `claim` has lost its chunk: whoever has it now gives places back, or has.
[[nodiscard]] std::vector<std::string> take_places(Connection& connection,
                                                   const CapQuestion& question, Channel channel,
                                                   const ChunkClaim& claim,
                                                   const std::string& recipients);

/// After a chunk was written: places of those who were not told are given back, those of the
/// others kept, also where none was taken. What is older than `window` is forgotten. Part of
/// record_chunks().
void settle_places(pqxx::transaction_base& work, const ChunkKey& key, std::chrono::hours window);

/// Of people of `job` whom another job takes over though they may have been told: their places stay
/// for good, whatever becomes of them there. Part of replay_job(), last in its transaction.
void keep_places(pqxx::transaction_base& work, const std::string& job,
                 const std::string& recipients);

}  // namespace fanfare::ledger
