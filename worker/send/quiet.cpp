#include "worker/send/quiet.hpp"

#include "core/time_zones/time_zone.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string_view>
#include <unordered_map>

namespace fanfare {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds day = std::chrono::hours{24};
constexpr int changes_max = 8;  // Of a zone's offset within one night.

/// How long a wall clock that shows `wall` stays in the quiet hours; 0 outside of them.
milliseconds quiet_for(const QuietHours& quiet, milliseconds wall) {
    const milliseconds from = quiet.from;
    const milliseconds to = quiet.to;
    const bool inside = from < to ? wall >= from && wall < to : wall >= from || wall < to;
    if (!inside) return {};
    return wall < to ? to - wall : day - wall + to;
}

/// What quiet hours make of people, asked once a zone. The zones' names outlive it.
class QuietNight {
public:
    QuietNight(const QuietHours& quiet, TimePoint now) : quiet_{quiet}, now_{now} {}

    std::optional<TimePoint> until(const Target& target) {
        const std::string_view zone =
            target.time_zone.empty() ? quiet_.time_zone : target.time_zone;
        const auto known = answers_.find(zone);
        if (known != answers_.end()) return known->second;
        return answers_.emplace(zone, quiet_until(quiet_, zone, now_)).first->second;
    }

private:
    const QuietHours& quiet_;
    TimePoint now_;
    std::unordered_map<std::string_view, std::optional<TimePoint>> answers_;
};

}  // namespace

std::optional<TimePoint> quiet_until(const QuietHours& quiet, std::string_view time_zone,
                                     TimePoint now) {
    auto zone = TimeZone::find(time_zone);
    if (!zone) zone = TimeZone::find(quiet.time_zone);  // Of people who have none.
    const auto shown = zone.value_or(TimeZone::utc());
    const auto begin = std::chrono::floor<milliseconds>(now);
    std::chrono::sys_time<milliseconds> at = begin;
    // From one change of the offset to the next, wall clocks run evenly.
    for (int change = 0; change < changes_max; ++change) {
        const auto period = shown.at(at);
        const auto local = at.time_since_epoch() + period.offset;
        const auto left = quiet_for(quiet, local - std::chrono::floor<std::chrono::days>(local));
        if (left.count() == 0) break;
        if (period.ends == TimePoint::max() || at + left < period.ends) {
            at += left;
            break;
        }
        at = std::chrono::ceil<milliseconds>(period.ends);
    }
    if (at == begin) return std::nullopt;
    return TimePoint{at};
}

std::vector<ledger::Split> set_quiet_aside(const JobContext& job, TimePoint now,
                                           Resolved& resolved) {
    if (!job.kind->quiet_hours || job.job.lane == Lane::urgent) return {};
    const auto& quiet = *job.kind->quiet_hours;
    QuietNight night{quiet, now};
    const auto& expires = job.job.expires_at;
    std::map<TimePoint, std::vector<std::uint32_t>> deferred;
    std::erase_if(resolved.targets, [&](const Target& target) {
        const auto until = night.until(target);
        if (!until) return false;
        auto& fate = resolved.fates[target.recipient];
        if (quiet.drops) {
            fate = merge(fate, {Outcome::suppressed, Reason::quiet_hours});
        } else if (expires && *until >= *expires) {
            fate = merge(fate, {Outcome::expired, Reason::past_expiry});
        } else {
            deferred[*until].push_back(target.recipient);
        }
        return true;
    });
    std::vector<ledger::Split> splits;
    std::vector<bool> taken(resolved.fates.size());
    for (auto& [until, people] : deferred) {
        std::sort(people.begin(), people.end());
        std::erase_if(people, [&taken](std::uint32_t one) {
            const bool again = taken[one];
            taken[one] = true;
            return again;
        });
        if (!people.empty()) splits.push_back({until, std::move(people)});
    }
    // Several devices in several zones wait together; who can be told at once is.
    for (const auto& target : resolved.targets) {
        if (!taken[target.recipient]) continue;
        for (auto& split : splits) std::erase(split.positions, target.recipient);
    }
    std::erase_if(splits, [](const auto& split) { return split.positions.empty(); });
    return splits;
}

bool is_untouched(const ledger::ChunkPeople& people) {
    const auto is_zero = [](char c) { return c == '\0'; };
    return std::all_of(people.outcomes.begin(), people.outcomes.end(), is_zero) &&
           std::all_of(people.reasons.begin(), people.reasons.end(), is_zero);
}

}  // namespace fanfare
