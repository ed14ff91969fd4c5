#pragma once

#include "producer/schedule/refresh.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>

namespace fanfare {

/// Looks at one due query again and again, for as much as has changed since.
///
///     what it finds, as a digest -> subjects whose digest is another one -> Refresher, of these
///
/// The ledger may change meanwhile, too: what was found anew, changed, gone or named is looked at
/// in each look until the next whole one, which compares every row with the ledger.
///
/// Bounds    remembers rows_max subjects; refreshes names_max of them, or else all.
/// Threads   one.
/// Lifetime  the refresher, its schedule and the clock outlive it.
class DueWatch {
public:
    static constexpr std::chrono::seconds whole_every{30};
    static constexpr std::size_t names_max = 1'000;

    DueWatch(Refresher& refresher, const Schedule& schedule, const Clock& clock)
        : refresher_{refresher}, schedule_{schedule}, clock_{clock} {}

    /// What the refresh came to that was due; empty where nothing has changed.
    struct Look {
        std::optional<RefreshReport> report;
        bool whole = false;
        bool not_now = false;  // Another producer is at it, or nobody knows the time.
        std::chrono::nanoseconds query_took{0};
    };
    [[nodiscard]] Result<Look> look();

    /// These have changed, as somebody says.
    [[nodiscard]] Result<Look> look_at(const DueNames& names);

    [[nodiscard]] const Schedule& schedule() const noexcept { return schedule_; }

private:
    [[nodiscard]] Result<Look> refresh(const std::optional<DueNames>& names);
    [[nodiscard]] bool is_whole_due() const;
    void note_changes(const DueDigest& found);
    void note_change(const std::string& subject);
    void note_whole(RefreshReport& report, SteadyTime begun);

    Refresher& refresher_;
    const Schedule& schedule_;
    const Clock& clock_;
    std::optional<DueDigest> known_;  // What the ledger was last brought up to.
    std::set<std::string> changed_;   // Since the last whole look.
    SteadyTime whole_at_{};
    TimePoint horizon_{};  // Then.
};

}  // namespace fanfare
