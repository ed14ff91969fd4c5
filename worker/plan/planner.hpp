#pragma once

#include "core/settings/settings.hpp"
#include "core/tracing/tracer.hpp"
#include "worker/plan/audience_source.hpp"
#include "worker/plan/descriptors.hpp"
#include "worker/plan/keeper.hpp"
#include "worker/plan/plan_store.hpp"
#include "worker/plan/source_turns.hpp"
#include "worker/probes/probes.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fanfare {

/// Cuts one job's audience into chunks.
///
///   audience (a cursor, in order of recipient id) -> chunks by channel -> ledger -> descriptors
///
/// Every fetch is written with the cursor in one transaction, so a planner that dies is
/// resumed where it stopped, and each person is in exactly one chunk per channel. Sending
/// starts while planning goes on. The plan stays this worker's however long a query takes, and
/// over an outage of the ledger (PlanKeeper).
///
/// Small jobs that wait together are planned together: their statements are shared, which is most
/// of what such a job costs. Whatever stands in the way of that is planned alone. Between two
/// fetches of a large audience give_way() may have small jobs planned on the same thread.
///
/// What fails is tried again, ever later, and given up after failures_max times in a row without
/// a step forward, or when the job expires; so is a plan that took unheard_max workers down.
///
/// Bounds    plan_batch recipients in memory, whatever the audience; of small jobs those of 32, or
///           of beside_max.
/// Stop      set `stopping`: a query that runs is ended and the plan given back, for another to
///           resume.
/// Threads   plan() blocks; one job a thread.
/// Lifetime  everything in Parts outlives plan().
class Planner {
public:
    struct Parts {
        PlanStore& store;
        AudienceSource& audiences;
        Descriptors& descriptors;
        const Clock& clock;
        WorkerProbe& probe;
        const std::atomic<bool>& stopping;
        /// Lets time pass, at most until the worker stops: KeeperThread::pause().
        std::function<void(std::chrono::milliseconds)> pause;
        std::function<double()> jitter;  // Uniform in [0, 1); from any thread.
        Tracer* tracer = nullptr;        // Null: nobody wants spans.
        /// Called on the planning thread after each full fetch of a job of that lane. Null: nobody
        /// waits.
        std::function<void(Lane)> give_way{};
    };
    static constexpr std::int32_t failures_max = 5;
    static constexpr std::int32_t outages_max = 20;  // In the middle of the audience.
    static constexpr std::int32_t unheard_max = 5;
    /// How to cut a channel: its chunk size, already fitted to the rate of its account.
    using Sizes = std::array<std::uint32_t, channel_count>;

    Planner(Parts parts, const WorkerSettings& settings, Sizes sizes)
        : parts_{std::move(parts)},
          settings_{settings},
          sizes_{sizes},
          keeper_{parts_.store, parts_.clock, settings.lease, parts_.stopping},
          turns_{parts_.clock} {}

    /// Plans the job, or resumes it, if nobody else does. When that failed for now: after how
    /// long it is worth another try.
    [[nodiscard]] std::optional<std::chrono::milliseconds> plan(const std::string& job);

    /// The same of many at once: of each, in order, when it is worth another try; at once where it
    /// is to be planned alone.
    [[nodiscard]] std::vector<std::optional<std::chrono::milliseconds>> plan_together(
        std::span<const std::string> jobs);

    /// The same of at most beside_max jobs, for give_way(): what has more than people_beside_max
    /// people, or is no job to be planned with others, comes back at once.
    [[nodiscard]] std::vector<std::optional<std::chrono::milliseconds>> plan_beside(
        std::span<const std::string> jobs);
    static constexpr std::size_t beside_max = 8;
    static constexpr std::size_t people_beside_max = 2'000;

    /// The system's database has just said that this job can be told: it is not asked once more,
    /// unless its owner has texts of their own. For checked_for, of checked_max jobs. Any thread.
    void was_checked(const std::string& job);

    /// Of the plans in hand. Somebody has it look, as long as plans are made.
    [[nodiscard]] PlanKeeper& keeper() noexcept { return keeper_; }
    /// How many plans hear nothing from their systems' databases. Any thread.
    [[nodiscard]] std::size_t stuck() { return turns_.stuck(); }

private:
    static constexpr std::chrono::seconds checked_for{60};
    static constexpr std::size_t checked_max = 10'000;
    static constexpr std::size_t small_max = 256;  // People of a job that is planned with others.
    static constexpr std::chrono::milliseconds together_max{2'000};  // Of reading them all.
    static constexpr std::chrono::seconds apart_for{60};  // Where reading them together failed.
    using Hold = PlanKeeper::Hold;
    using Wait = std::optional<std::chrono::milliseconds>;
    using Tried = AudienceSource::Tried;

    [[nodiscard]] Wait carry_out(ledger::PlanTask& task, bool& failed);
    [[nodiscard]] Tried attempt(ledger::PlanTask& task, Hold& hold, Wait& again);
    [[nodiscard]] Tried come_again(const ledger::PlanTask& task, Wait& again);
    [[nodiscard]] Result<Wait> clear_the_way(const JobContext& job, const ledger::PlanTask& task);
    [[nodiscard]] Tried stream(const JobContext& job, ledger::PlanTask& task, Hold& hold,
                               SourceTurns::Turn& turn);
    [[nodiscard]] Tried write(const JobContext& job, ledger::PlanTask& task,
                              std::span<const std::string_view> ids, Hold& hold);
    [[nodiscard]] Tried finish(const JobContext& job, const ledger::PlanTask& task);
    void cut_chunks(const JobContext& job, ledger::PlanTask& task,
                    std::span<const std::string_view> ids,
                    std::vector<ledger::NewChunk>& chunks) const;
    void publish(const JobContext& job, std::span<const ledger::NewChunk> chunks);
    void tell_planned(const JobContext& job, const ledger::PlanTask& task);
    [[nodiscard]] bool resume(ledger::PlanTask& task, Hold& hold);
    [[nodiscard]] Wait note_failure(const ledger::PlanTask& task, const PlanFault& fault,
                                    Hold& hold);
    [[nodiscard]] bool note(const ledger::PlanTask& task, const ledger::PlanFailure& failure,
                            Hold& hold);
    void give_back(const ledger::PlanTask& task);
    [[nodiscard]] bool is_checked(const std::string& job);

    struct Small;
    using Waits = std::unordered_map<std::string, Wait>;
    [[nodiscard]] Wait plan_claimed(ledger::PlanTask& task);
    [[nodiscard]] PlanStore::Context small_perhaps(const ledger::PlanTask& task, Wait& again);
    enum class Beside : bool { no, a_giant };
    [[nodiscard]] std::vector<Wait> plan_small(std::span<const std::string> jobs,
                                               std::size_t people_max, Beside beside);
    void read_small(std::vector<Small>& jobs, std::size_t people_max);
    void write_small(std::span<Small> jobs, Waits& waits, Beside beside);
    void plan_apart(const ledger::PlanTask& task, Wait& wait);
    [[nodiscard]] bool is_read_apart(const postgres::Pool* source);
    void end_span(std::optional<Span> span, const ledger::PlanTask& before,
                  const ledger::PlanTask& after, bool failed) const;

    Parts parts_;
    const WorkerSettings& settings_;
    Sizes sizes_;
    PlanKeeper keeper_;
    SourceTurns turns_;
    std::mutex checked_mutex_;
    std::unordered_map<std::string, SteadyTime> checked_;  // When.
    std::mutex apart_mutex_;
    std::unordered_map<const postgres::Pool*, SteadyTime> apart_;  // Until when.
};

}  // namespace fanfare
