#pragma once

#include "core/ledger/chunks.hpp"
#include "core/wire/receipt.hpp"
#include "tests/simulation/plants.hpp"
#include "tests/simulation/story.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fanfare::simulation {

/// The ledger's jobs, chunks, receipts and buckets as they are meant to be: what core/ledger/ does
/// in SQL, in plain steps. Every call is one transaction. differential_test.cpp holds its chunks
/// against the real ledger.
///
/// Beside what the ledger knows it keeps what is true, whatever is planted, and says in broken()
/// what must not be.
///
/// Threads   one.
class StoreModel {
public:
    StoreModel(const Clock& clock, Story& story, Plant plant = Plant::none)
        : clock_{clock}, story_{story}, plant_{plant} {}

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
        bool is_untouched = true;
        // What is true:
        std::int32_t highest_epoch = 0;  // That anybody was given.
        std::string truly_begun;         // Of the claim in hand.
        SteadyTime due_at{};             // Before that nobody may claim it.
    };
    struct NewJob {
        std::string id;
        std::vector<std::string> people;  // Its audience, sorted.
        std::size_t chunk_people = 12;
        DoubtPolicy on_doubt = DoubtPolicy::hold;
        std::optional<SteadyTime> expires_at;
    };
    struct Job : NewJob {
        enum class State : std::uint8_t { planning, sending, cancelled };
        State state = State::planning;
        std::string replay_of;
        std::optional<SteadyTime> cancelled_at, held_since;
        std::size_t cursor = 0;  // People planned.
        std::int32_t next_number = 0, plan_epoch = 0;
        SteadyTime plan_lease{};
        bool is_planned = false;
    };
    struct PlanTask {
        std::string job;
        std::int32_t epoch = 0, number = 0;
        std::size_t cursor = 0;
    };

    // Jobs and plans (store_jobs.cpp).
    bool take_job(const NewJob& job);
    /// The id of the job that a job published twice must not become.
    [[nodiscard]] static std::string twin_of(std::string job);
    [[nodiscard]] std::optional<PlanTask> claim_plan(const std::string& job,
                                                     std::chrono::milliseconds lease);
    /// The chunk that was written; nothing where the plan is somebody else's.
    [[nodiscard]] std::optional<ledger::ChunkKey> write_plan(PlanTask& task,
                                                             std::chrono::milliseconds lease);
    void finish_plan(const PlanTask& task);
    [[nodiscard]] std::vector<std::string> unplanned() const;
    void cancel(const std::string& job);
    void hold(const std::string& job, bool held);
    [[nodiscard]] bool is_cancelled(const std::string& job) const;
    /// Takes people whom it failed, or of whom nobody knows, out of a job and into another.
    std::size_t replay(const std::string& job, const std::string& as);

    // Chunks (store_chunks.cpp).
    void add(ledger::ChunkKey key, std::vector<std::string> recipients, DoubtPolicy on_doubt,
             std::chrono::milliseconds publish_after = {});
    [[nodiscard]] std::vector<ledger::ClaimedChunk> claim(
        std::span<const ledger::ClaimRequest> requests, std::chrono::milliseconds lease,
        std::int64_t token);
    [[nodiscard]] std::vector<ledger::ClaimedChunk> take_over(std::size_t limit,
                                                              std::chrono::milliseconds lease);
    [[nodiscard]] std::vector<ledger::ClaimedChunk> claim_ended(std::size_t limit,
                                                                std::chrono::milliseconds lease);
    [[nodiscard]] std::vector<ledger::Overdue> take_overdue(std::span<const ledger::Room> rooms,
                                                            std::chrono::milliseconds again_after);

    // Marks and records (store_records.cpp).
    [[nodiscard]] ledger::Written mark(std::span<const ledger::ChunkMark> marks);
    [[nodiscard]] ledger::Written record(std::span<const ledger::ChunkRecord> records);

    // Receipts (store_receipts.cpp).
    void hear(const ledger::ChunkKey& key, std::uint32_t position, ReceiptEvent event);
    void apply_early();

    // Rates.
    /// How long until the slice begins.
    [[nodiscard]] std::chrono::microseconds lease_rate(const std::string& account,
                                                       double per_second, std::uint32_t tokens);
    void block(const std::string& account, std::chrono::milliseconds wait);
    /// Accounts that are, and for how long, as workers read it.
    [[nodiscard]] std::map<std::string, std::chrono::microseconds> blocked() const;
    struct Block {
        SteadyTime since{}, until{};
    };
    [[nodiscard]] const std::map<std::string, Block>& blocks() const { return blocks_; }

    [[nodiscard]] const std::map<ledger::ChunkKey, Chunk>& chunks() const { return chunks_; }
    [[nodiscard]] const std::map<std::string, Job>& jobs() const { return jobs_; }
    [[nodiscard]] const Job* find_job(const std::string& id) const;
    [[nodiscard]] bool is_settled() const;
    [[nodiscard]] Plant plant() const { return plant_; }
    /// What is written that must not be: "" while all is well.
    [[nodiscard]] const std::string& broken() const { return broken_; }
    void breaks(std::string why) {
        if (broken_.empty()) broken_ = std::move(why);
    }

private:
    struct Bucket {
        SteadyTime next_free{}, blocked_until{};
    };
    struct Word {
        ledger::ChunkKey key;
        std::uint32_t position = 0;
        ReceiptEvent event{};
    };
    [[nodiscard]] ledger::ClaimedChunk hand_out(Chunk& chunk);
    [[nodiscard]] bool may_claim(const Chunk& chunk, std::int64_t token) const;
    [[nodiscard]] bool is_expired(const Job& job) const;
    [[nodiscard]] bool is_held(const std::string& job) const;
    void settle_untouched(Chunk& chunk);
    void write(Chunk& chunk, const ledger::ChunkRecord& record);
    void write_late(Chunk& chunk, const ledger::ChunkRecord& record);
    void check_guess(const Chunk& chunk, const ledger::ChunkRecord& record);
    void look_at(const Chunk& chunk);
    void tell_of_job(const ledger::ChunkKey& key, ledger::Written& written) const;

    const Clock& clock_;
    Story& story_;
    Plant plant_;
    std::map<std::string, Job> jobs_;
    std::map<ledger::ChunkKey, Chunk> chunks_;
    std::map<std::string, Bucket> buckets_;
    std::map<std::string, Block> blocks_;
    std::vector<Word> early_;
    std::string broken_;
};

}  // namespace fanfare::simulation
