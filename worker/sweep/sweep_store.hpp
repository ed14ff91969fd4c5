#pragma once

#include "core/ledger/chunks.hpp"
#include "core/ledger/clock.hpp"
#include "core/ledger/jobs.hpp"
#include "core/ledger/plans.hpp"
#include "core/postgres/pool.hpp"
#include "worker/send/job_context.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fanfare {

/// What the sweeper asks of the ledger, or of a simulation.
///
/// Threads   one serial executor, on which the answers come as well.
/// Lifetime  what is passed outlives the await.
class SweepStore {
public:
    template <class T>
    using Answer = boost::asio::awaitable<Result<T>>;

    /// A job as the records of its stalled chunks need it.
    struct SweptJob {
        std::string trace;                          // Of its log lines; "": of none.
        std::shared_ptr<const JobContext> context;  // Null: it is not configured any more.
    };

    virtual ~SweepStore() = default;
    /// As ledger::has_work().
    [[nodiscard]] virtual Answer<bool> has_work() = 0;
    /// As ledger::take_over_stalled(), by the time that is known.
    [[nodiscard]] virtual Answer<std::vector<ledger::ClaimedChunk>> take_over(
        int limit, std::chrono::milliseconds lease) = 0;
    /// As ledger::claim_of_ended_jobs(); nobody's while the time is in doubt.
    [[nodiscard]] virtual Answer<std::vector<ledger::ClaimedChunk>> claim_ended(
        int limit, std::chrono::milliseconds lease) = 0;
    [[nodiscard]] virtual Answer<SweptJob> job(const std::string& id) = 0;
    /// As ledger::take_overdue().
    [[nodiscard]] virtual Answer<std::vector<ledger::Overdue>> take_overdue(
        std::span<const ledger::Room> rooms, std::chrono::milliseconds again_after) = 0;
    /// As ledger::unplanned_jobs(); what has expired unplanned is ended before, where the time is
    /// known.
    [[nodiscard]] virtual Answer<std::vector<ledger::UnplannedJob>> unplanned(int limit) = 0;
    /// Ends the jobs whose every chunk is settled.
    [[nodiscard]] virtual Answer<std::vector<ledger::EndedJob>> close_jobs() = 0;
    /// As ledger::read_suppressions().
    [[nodiscard]] virtual Answer<void> read_suppressions(int limit) = 0;
};

/// The ledger's.
///
/// Lifetime  everything in Parts outlives it.
class LedgerSweepStore final : public SweepStore {
public:
    struct Parts {
        postgres::Pool& ledger;
        JobContexts& job_contexts;
        ledger::LedgerClock& time;
        const Clock& clock;  // The machine's.
    };
    explicit LedgerSweepStore(const Parts& parts) : parts_{parts} {}
    [[nodiscard]] Answer<bool> has_work() override;
    [[nodiscard]] Answer<std::vector<ledger::ClaimedChunk>> take_over(
        int limit, std::chrono::milliseconds lease) override;
    [[nodiscard]] Answer<std::vector<ledger::ClaimedChunk>> claim_ended(
        int limit, std::chrono::milliseconds lease) override;
    [[nodiscard]] Answer<SweptJob> job(const std::string& id) override;
    [[nodiscard]] Answer<std::vector<ledger::Overdue>> take_overdue(
        std::span<const ledger::Room> rooms, std::chrono::milliseconds again_after) override;
    [[nodiscard]] Answer<std::vector<ledger::UnplannedJob>> unplanned(int limit) override;
    [[nodiscard]] Answer<std::vector<ledger::EndedJob>> close_jobs() override;
    [[nodiscard]] Answer<void> read_suppressions(int limit) override;

private:
    Parts parts_;
};

}  // namespace fanfare
