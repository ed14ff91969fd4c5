#pragma once

#include "core/http/exchange.hpp"
#include "core/providers/provider.hpp"
#include "worker/send/chunk_in_progress.hpp"

#include <cstdint>

namespace fanfare {

/// The span of a chunk, which was claimed at `claimed`; once its job is known.
void begin_chunk_span(ChunkInProgress& work, TimePoint claimed);
/// It ends with its record, or without one.
void end_chunk_span(ChunkInProgress& work, const AccountSettings* account);

/// The span of one call of a provider, which has just ended. In a chunk that has one.
void tell_request(const ChunkInProgress& work, const AccountSettings& account, std::uint32_t people,
                  const HttpAnswer& answer, const BatchAnswer& meaning, TimePoint now);

}  // namespace fanfare
