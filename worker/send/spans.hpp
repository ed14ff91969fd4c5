#pragma once

#include "core/http/exchange.hpp"
#include "core/providers/provider.hpp"
#include "worker/send/chunk_in_progress.hpp"

#include <chrono>
#include <cstdint>

namespace fanfare {

/// The span of a chunk, which was claimed `since` ago; once its job is known. All spans go by the
/// tracer's clock, which need not be the ledger's.
void begin_chunk_span(ChunkInProgress& work, std::chrono::nanoseconds since);
/// It ends with its record, or without one.
void end_chunk_span(ChunkInProgress& work);

/// The span of one call of a provider, which has just ended. In a chunk that has one.
void tell_request(const ChunkInProgress& work, const AccountSettings& account, std::uint32_t people,
                  const HttpAnswer& answer, const BatchAnswer& meaning);

}  // namespace fanfare
