#pragma once

#include "core/ledger/chunks.hpp"
#include "core/ledger/splits.hpp"
#include "core/wire/receipt.hpp"
#include "tests/simulation/nights.hpp"
#include "tests/simulation/plants.hpp"
#include "tests/simulation/story.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::simulation {

/// Reads the ids anew: views of a copy would point into the original.
inline void copy(const ledger::ChunkPeople& from, ledger::ChunkPeople& to) {
    to.recipients_literal = from.recipients_literal;
    postgres::parse_array(to.recipients_literal, to.recipients);
    to.outcomes = from.outcomes;
    to.reasons = from.reasons;
    to.attempts = from.attempts;
    to.causes = from.causes;
    to.provider_ids = from.provider_ids;
}

/// The ledger's jobs, chunks, receipts and buckets as they are meant to be: what core/ledger/ does
/// in SQL, in plain steps. Every call is one transaction. differential_test.cpp holds its chunks
/// against the real ledger.
///
/// Beside what the ledger knows it keeps what is true, whatever is planted, and says in broken()
/// what must not be. Its own clock may be wrong for a while: leases, waits and rates go by that.
///
/// Threads   one.
class StoreModel {
public:
    StoreModel(const Clock& truth, Story& story, Plant plant = Plant::none)
        : truth_{truth}, story_{story}, plant_{plant} {}

    /// A worker that was told to end was ended before it had.
    void cut_off_drain() { ++drains_cut_off_; }
    [[nodiscard]] int drains_cut_off() const { return drains_cut_off_; }
    /// Nobody reaches it until then.
    void set_away(SteadyTime until) { away_until_ = until; }
    [[nodiscard]] bool is_away() const { return truth_.steady_now() < away_until_; }

    enum class State : std::uint8_t { planned, claimed, done };
    struct Chunk {
        ledger::ChunkKey key;
        DoubtPolicy on_doubt = DoubtPolicy::hold;
        State state = State::planned;
        std::int32_t epoch = 0;
        std::int64_t token = 0;
        SteadyTime lease_until{}, next_at{}, publish_at{}, updated_at{};
        std::int32_t takeovers = 0, failures = 0;
        std::string account, outcomes, reasons, attempts, causes, begun;
        std::vector<std::string> recipients, ids;
        bool is_untouched = true;
        // What is true:
        std::int32_t highest_epoch = 0;  // That anybody was given.
        std::string truly_begun;         // Of the claim in hand.
        SteadyTime due_at{};             // Before that nobody may claim it ...
        SteadyTime truly_until{};        // ... or take it over.
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
        std::int64_t token, TimePoint believed);
    [[nodiscard]] std::vector<ledger::ClaimedChunk> take_over(std::size_t limit,
                                                              std::chrono::milliseconds lease,
                                                              TimePoint believed);
    [[nodiscard]] std::vector<ledger::ClaimedChunk> claim_ended(std::size_t limit,
                                                                std::chrono::milliseconds lease);
    [[nodiscard]] std::vector<ledger::Overdue> take_overdue(std::span<const ledger::Room> rooms,
                                                            std::chrono::milliseconds again_after);

    // Marks and records (store_records.cpp).
    [[nodiscard]] ledger::Written mark(std::span<const ledger::ChunkMark> marks);
    [[nodiscard]] ledger::Written record(std::span<const ledger::ChunkRecord> records);

    // People who leave a chunk, or may not be told (store_people.cpp).
    [[nodiscard]] bool split(const ledger::ChunkClaim& claim, ledger::ChunkPeople& people,
                             std::span<const ledger::Split> splits);
    /// Takes a place for each of them who has one left; returns the others.
    [[nodiscard]] std::vector<std::string> take_places(const std::string& origin, Channel channel,
                                                       const ledger::ChunkClaim& claim,
                                                       std::size_t at_most,
                                                       std::span<const std::string> people);
    struct Place {
        unsigned channels = 0;
    };
    /// By whoever holds them and for which job.
    using Places = std::map<std::pair<std::string, std::string>, Place>;
    [[nodiscard]] const Places& places() const { return places_; }
    /// The job whose places count as those of this one.
    [[nodiscard]] std::string origin_of(const std::string& job) const;
    /// Who somebody of a job's audience is to all jobs.
    [[nodiscard]] static std::string human_of(const std::string& person) {
        return person.substr(1);
    }

    // Receipts (store_receipts.cpp).
    void hear(const ledger::ChunkKey& key, std::uint32_t position, ReceiptEvent event);
    void apply_early();

    // Its clock (store_clock.cpp): so far ahead of what is true.
    void set_clock(std::chrono::milliseconds ahead);
    [[nodiscard]] TimePoint calendar_now() const { return truth_.now() + ahead_; }
    [[nodiscard]] std::chrono::milliseconds ahead() const { return ahead_; }
    /// When its clock was moved last; never: nothing.
    [[nodiscard]] std::optional<SteadyTime> moved_at() const { return moved_at_; }
    std::size_t mend(std::chrono::milliseconds lease, std::chrono::milliseconds republish_after,
                     TimePoint believed);
    /// What workers may be mistaken by about the time. Nothing: anything.
    void set_slack(std::optional<std::chrono::milliseconds> slack) { slack_ = slack; }
    [[nodiscard]] std::optional<std::chrono::milliseconds> slack() const { return slack_; }
    /// Somebody has begun by a wrong clock: what they claim ends when nobody knows.
    void doubt_leases() { leases_doubted_ = true; }
    [[nodiscard]] bool leases_doubted() const { return leases_doubted_; }
    void set_nights(const Nights& nights, std::size_t devices) {
        nights_ = nights;
        devices_ = devices;
    }

    // Rates (store_clock.cpp).
    /// How long until the slice begins.
    [[nodiscard]] std::chrono::microseconds lease_rate(const std::string& account,
                                                       double per_second, std::uint32_t tokens);
    /// Until when slices last that were given out before the ledger's clock last moved: those that
    /// are given out after it know nothing of them.
    [[nodiscard]] SteadyTime overlaps_until(const std::string& account) const;
    void block(const std::string& account, std::chrono::milliseconds wait);
    /// Accounts that are, and for how long, as workers read it.
    [[nodiscard]] std::map<std::string, std::chrono::microseconds> blocked();
    /// A 429's wait, in true time. One that was said before the ledger's clock moved may be shorter
    /// there: it is `unsure_until`, and is not promised.
    struct Block {
        SteadyTime since{}, until{}, unsure_until{};
    };
    /// Whether the ledger's clock moved after, or hardly before, the wait was said.
    [[nodiscard]] bool is_unsure(const Block& block) const {
        return moved_at_ && *moved_at_ + std::chrono::seconds{2} >= block.since;
    }
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
        SteadyTime next_free{}, reserved_at{}, blocked_until{}, blocked_at{};
        double per_second = 0;  // At which it was reserved.
    };
    struct Word {
        ledger::ChunkKey key;
        std::uint32_t position = 0;
        ReceiptEvent event{};
    };
    [[nodiscard]] ledger::ClaimedChunk hand_out(Chunk& chunk);
    [[nodiscard]] bool may_claim(const Chunk& chunk, std::int64_t token) const;
    [[nodiscard]] bool is_expired(const Job& job) const;
    [[nodiscard]] bool is_nobodys(SteadyTime plan_lease) const;
    [[nodiscard]] bool is_held(const std::string& job) const;
    [[nodiscard]] bool shows(TimePoint believed) const;
    [[nodiscard]] SteadyTime steady(TimePoint moment) const {
        return SteadyTime{} + (moment - nights_.begins());
    }
    void settle_untouched(Chunk& chunk);
    void write(Chunk& chunk, const ledger::ChunkRecord& record);
    void write_late(Chunk& chunk, const ledger::ChunkRecord& record);
    void check_guess(const Chunk& chunk, const ledger::ChunkRecord& record);
    void look_at(const Chunk& chunk);
    void check_expired(const Chunk& chunk, const std::string& person);
    [[nodiscard]] SteadyTime now() const { return truth_.steady_now() + ahead_; }
    [[nodiscard]] std::int32_t next_split_number(const std::string& job) const;
    void complete(const ledger::ChunkRecord& record);
    void add_fallback(const ledger::ChunkKey& key, const ledger::FallbackChunk& fallback);
    void settle_places(const ledger::ChunkKey& key);
    void keep_place(const std::string& person, const std::string& job);
    [[nodiscard]] SteadyTime block_of(const Bucket& bucket) const;
    void tell_of_job(const ledger::ChunkKey& key, ledger::Written& written) const;

    SteadyTime away_until_{};
    const Clock& truth_;
    Story& story_;
    Plant plant_;
    std::map<std::string, Job> jobs_;
    std::map<ledger::ChunkKey, Chunk> chunks_;
    std::map<std::string, Bucket> buckets_;
    std::map<std::string, Block> blocks_;
    std::vector<Word> early_;
    Places places_;
    Nights nights_;
    std::size_t devices_ = 1;
    std::chrono::milliseconds ahead_{0};
    std::optional<SteadyTime> moved_at_;
    std::map<std::string, SteadyTime> given_until_, overlaps_until_;  // Slices, in true time.
    std::optional<std::chrono::milliseconds> slack_{0};
    bool leases_doubted_ = false;
    int drains_cut_off_ = 0;
    std::string broken_;
};

}  // namespace fanfare::simulation
