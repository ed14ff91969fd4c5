#pragma once

#include "core/ledger/chunks.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// What travels on fanfare.chunks.<lane>: the name of one chunk, nothing else. PostgreSQL is
/// the authority; a forged or repeated descriptor can only lead to a claim that fails.
///
///     {"version":1,"job":"<uuid>","channel":"email","chunk":12}
[[nodiscard]] std::string encode_descriptor(const ledger::ChunkKey& key);

/// Nothing unless the bytes are exactly one descriptor.
[[nodiscard]] std::optional<ledger::ChunkKey> decode_descriptor(std::string_view bytes);

}  // namespace fanfare
