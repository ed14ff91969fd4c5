#pragma once

#include "core/clock/clock.hpp"
#include "core/ledger/splits.hpp"
#include "core/systems/system.hpp"
#include "worker/send/resolve.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace fanfare {

/// The first moment from `now` on at which the clock on a wall in `time_zone` (IANA; an unknown
/// one counts as UTC) is outside the quiet hours; nothing when it is outside already. Days with
/// 23 or 25 hours, and zones that change their offset, are what they are. Pure.
[[nodiscard]] std::optional<TimePoint> quiet_until(const QuietHours& quiet,
                                                   std::string_view time_zone, TimePoint now);

/// Takes the targets out whose people are in their quiet hours: dropped, expired when the job
/// expires before they end, or deferred. Returns the deferred, earliest first.
[[nodiscard]] std::vector<ledger::Split> set_quiet_aside(const JobContext& job, TimePoint now,
                                                         Resolved& resolved);

/// True when nobody of the chunk was tried yet: it may be split.
[[nodiscard]] bool is_untouched(const ledger::ChunkPeople& people);

}  // namespace fanfare
