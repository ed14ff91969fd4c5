#pragma once

#include "core/ledger/chunks.hpp"
#include "core/ledger/splits.hpp"
#include "core/postgres/pool.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace fanfare {

/// What became of writing to several chunks, and which of them are refused as they are.
struct WrittenChunks : ledger::Written {
    std::vector<ledger::ChunkKey> refused;
};

/// The chunks as the send stage uses them, in the ledger or in a simulation. A failure that is
/// retryable may have happened all the same: each can be asked again.
///
/// Threads   one serial executor, on which the answers come as well.
/// Lifetime  what is passed outlives the await.
class ChunkStore {
public:
    template <class T>
    using Answer = boost::asio::awaitable<Result<T>>;

    virtual ~ChunkStore() = default;
    /// As ledger::claim_chunks().
    [[nodiscard]] virtual Answer<std::vector<ledger::ClaimedChunk>> claim(
        std::span<const ledger::ClaimRequest> requests, std::chrono::milliseconds lease,
        std::int64_t token) = 0;
    /// As ledger::mark_chunks(), fenced by the claims' epochs.
    [[nodiscard]] virtual Answer<WrittenChunks> mark(std::span<const ledger::ChunkMark> marks) = 0;
    /// As ledger::record_chunks(), fenced the same.
    [[nodiscard]] virtual Answer<WrittenChunks> record(
        std::span<const ledger::ChunkRecord> records) = 0;
    /// As ledger::split_chunk(), which takes people out of `people`.
    [[nodiscard]] virtual Answer<bool> split(const ledger::ChunkClaim& claim,
                                             ledger::ChunkPeople& people,
                                             std::span<const ledger::Split> splits) = 0;
    [[nodiscard]] virtual Answer<bool> is_cancelled(const std::string& job) = 0;
};

/// The ledger's.
///
/// Lifetime  pool and clock outlive it.
class LedgerChunkStore final : public ChunkStore {
public:
    /// `time`: the ledger's, as this worker knows it.
    LedgerChunkStore(postgres::Pool& ledger, const Clock& time) : ledger_{ledger}, time_{time} {}
    [[nodiscard]] Answer<std::vector<ledger::ClaimedChunk>> claim(
        std::span<const ledger::ClaimRequest> requests, std::chrono::milliseconds lease,
        std::int64_t token) override;
    [[nodiscard]] Answer<WrittenChunks> mark(std::span<const ledger::ChunkMark> marks) override;
    [[nodiscard]] Answer<WrittenChunks> record(
        std::span<const ledger::ChunkRecord> records) override;
    [[nodiscard]] Answer<bool> split(const ledger::ChunkClaim& claim, ledger::ChunkPeople& people,
                                     std::span<const ledger::Split> splits) override;
    [[nodiscard]] Answer<bool> is_cancelled(const std::string& job) override;

private:
    postgres::Pool& ledger_;
    const Clock& time_;
};

}  // namespace fanfare
