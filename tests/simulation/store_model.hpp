#pragma once

#include "core/ledger/chunks.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace fanfare::simulation {

/// What may be wrong with the ledger, to see that a simulation finds it.
enum class StoreFault : std::uint8_t {
    none,
    no_fence,        // A record counts whoever holds the chunk.
    claims_claimed,  // A chunk is claimed though somebody holds it.
    forgets_mark,    // Who had begun is not known after a takeover.
};

/// The ledger's chunks and buckets as they are meant to be: what core/ledger/ does in SQL, in plain
/// steps. Every call is one transaction.
///
/// Threads   one.
class StoreModel {
public:
    explicit StoreModel(const Clock& clock, StoreFault fault = StoreFault::none)
        : clock_{clock}, fault_{fault} {}

    enum class State : std::uint8_t { planned, claimed, done };
    struct Chunk {
        ledger::ChunkKey key;
        DoubtPolicy on_doubt = DoubtPolicy::hold;
        State state = State::planned;
        std::int32_t epoch = 0;
        std::int64_t token = 0;
        SteadyTime lease_until{}, next_at{}, publish_at{};
        std::int32_t takeovers = 0, failures = 0;
        std::string account, outcomes, reasons, attempts, causes, begun;
        std::vector<std::string> recipients, ids;
    };

    void add(ledger::ChunkKey key, std::vector<std::string> recipients, DoubtPolicy on_doubt);

    [[nodiscard]] std::vector<ledger::ClaimedChunk> claim(
        std::span<const ledger::ClaimRequest> requests, std::chrono::milliseconds lease,
        std::int64_t token);
    [[nodiscard]] ledger::Written mark(std::span<const ledger::ChunkMark> marks);
    [[nodiscard]] ledger::Written record(std::span<const ledger::ChunkRecord> records);
    [[nodiscard]] std::vector<ledger::ClaimedChunk> take_over(std::size_t limit,
                                                              std::chrono::milliseconds lease);
    [[nodiscard]] std::vector<ledger::Overdue> take_overdue(std::span<const ledger::Room> rooms,
                                                            std::chrono::milliseconds again_after);
    /// How long until the slice begins.
    [[nodiscard]] std::chrono::microseconds lease_rate(const std::string& account,
                                                       double per_second, std::uint32_t tokens);
    void block(const std::string& account, std::chrono::milliseconds wait);

    [[nodiscard]] const std::map<ledger::ChunkKey, Chunk>& chunks() const { return chunks_; }
    [[nodiscard]] bool is_settled() const;
    /// What is written that must not be: "" while all is well.
    [[nodiscard]] const std::string& broken() const { return broken_; }

private:
    struct Bucket {
        SteadyTime next_free{}, blocked_until{};
    };
    [[nodiscard]] ledger::ClaimedChunk hand_out(Chunk& chunk) const;
    void write(Chunk& chunk, const ledger::ChunkRecord& record);
    void write_late(Chunk& chunk, const ledger::ChunkRecord& record);
    void look_at(const Chunk& chunk);

    const Clock& clock_;
    StoreFault fault_;
    std::map<ledger::ChunkKey, Chunk> chunks_;
    std::map<std::string, Bucket> buckets_;
    std::string broken_;
};

}  // namespace fanfare::simulation
