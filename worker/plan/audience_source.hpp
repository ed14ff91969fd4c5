#pragma once

#include "core/error/failure.hpp"
#include "worker/plan/keeper.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// Why planning came to nothing; where it failed decides what follows.
struct PlanFault {
    enum class Place : std::uint8_t {
        ledger,
        source,  // The system's database could not be reached.
        query,   // It was, and then its query failed.
        job,
    };
    Place place = Place::job;
    Failure failure;
};

/// The audience of a small job, read at once.
struct SmallAudience {
    const JobContext* job = nullptr;  // Not is_told_audience().
    std::vector<std::string> ids{};   // Sorted bytewise and distinct.
    std::int64_t left_out = 0;
    bool is_whole = false;  // Otherwise it has more people, or there was no time: nothing is known.
};

/// Whether a job can be told, and to whom, as its system's database knows. Of a plan that is over
/// meanwhile nothing is read any more.
///
/// Threads   any; each call blocks, as long as the query takes.
class AudienceSource {
public:
    using Tried = std::optional<PlanFault>;  // Nothing: it went well, or the plan is over.
    /// The next ids, sorted bytewise and distinct, and how many were left out up to there; no ids
    /// at the end. A fault of it ends the reading.
    using Each = std::function<Tried(std::span<const std::string_view> ids, std::int64_t left_out)>;

    virtual ~AudienceSource() = default;
    /// As check_order(), at the moment `now`.
    [[nodiscard]] virtual Tried check(const JobContext& job, TimePoint now,
                                      PlanKeeper::Hold& hold) = 0;
    /// Gives the audience from just after `cursor` on to `each`, `batch` ids at a time.
    [[nodiscard]] virtual Tried read(const JobContext& job, const std::string& cursor,
                                     std::size_t batch, PlanKeeper::Hold& hold,
                                     const Each& each) = 0;
    /// Reads the audiences of jobs of one database whole, as of one snapshot, each that has at most
    /// `people_max`; within little more than `within`, and not beyond the plan of `hold`. A fault
    /// says nothing about any single one.
    [[nodiscard]] virtual Result<void> read_small(std::span<SmallAudience* const> audiences,
                                                  std::size_t people_max,
                                                  std::chrono::milliseconds within,
                                                  PlanKeeper::Hold& hold) = 0;
};

/// The systems' databases, and the ledger for is_told_audience().
///
/// Lifetime  what it is given outlives it.
class DatabaseAudiences final : public AudienceSource {
public:
    DatabaseAudiences(postgres::Pool& ledger, const Clock& clock)
        : ledger_{ledger}, clock_{clock} {}
    [[nodiscard]] Tried check(const JobContext& job, TimePoint now,
                              PlanKeeper::Hold& hold) override;
    [[nodiscard]] Tried read(const JobContext& job, const std::string& cursor, std::size_t batch,
                             PlanKeeper::Hold& hold, const Each& each) override;
    [[nodiscard]] Result<void> read_small(std::span<SmallAudience* const> audiences,
                                          std::size_t people_max, std::chrono::milliseconds within,
                                          PlanKeeper::Hold& hold) override;

private:
    postgres::Pool& ledger_;
    const Clock& clock_;
};

}  // namespace fanfare
