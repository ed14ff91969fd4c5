#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/postgres/connection.hpp"
#include "core/wire/receipt.hpp"

#include <optional>
#include <span>

/// What receipts do to the ledger. Functions block, throw what libpqxx throws, and belong inside
/// postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

/// What a receipt makes of an outcome; nothing when it changes nothing. Outcomes only rise:
///
///   not known to be sent < sent < delivered < refused < refused as a dead address
///     < opened < clicked
///
/// so receipts may come late, repeated and in any order, and the end is the same. Pure.
struct Raised {
    Outcome outcome;
    Reason reason;
    bool operator==(const Raised&) const = default;
};
[[nodiscard]] std::optional<Raised> raise(Outcome outcome, Reason reason, ReceiptEvent event);

/// How many receipts did what.
struct ReceiptTally {
    std::size_t raised = 0;     // Changed an outcome.
    std::size_t unchanged = 0;  // Told nothing new.
    std::size_t early = 0;      // Their chunk is claimed: kept until it is recorded.
    std::size_t unmatched = 0;  // The ledger has no such chunk or place.
};

/// Raises outcomes, one update a chunk, all in one transaction. What is told of somebody whom a
/// later job has taken over is told of them there: who is not asked for again yet, never is.
[[nodiscard]] ReceiptTally apply_receipts(Connection& connection,
                                          std::span<const ReceiptBatch> batches);

/// Applies kept receipts whose chunk has been recorded meanwhile; at most `limit` at a time.
[[nodiscard]] ReceiptTally apply_early_receipts(Connection& connection, int limit);

/// Counts soft bounces and forgets them where a message was delivered. Suppresses addresses
/// that bounced `in_a_row_max` times in a row; returns how many.
std::size_t count_soft_bounces(Connection& connection, std::span<const ReceiptBatch> batches,
                               int in_a_row_max);

}  // namespace fanfare::ledger
