#pragma once

#include "core/clock/clock.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace date {
class time_zone;
}

namespace fanfare {

/// A time zone as the system's tzdata has it, which the distribution keeps up to date: the one
/// source for texts and for quiet hours. ICU's own copy is as old as the library.
///
/// Source    /usr/share/zoneinfo, read once and kept until the process ends; $TZDIR is not looked
/// at. Threads   any; values are two words and are copied freely.
class TimeZone {
public:
    /// A stretch of time in which the clocks of a zone run evenly.
    struct Period {
        std::chrono::seconds offset{0};  // East of UTC.
        bool is_summer =
            false;  // Clocks are ahead of what they show in the other half of the year.
        std::string abbreviation;  // "EST"; "+05" where the zone has no letters.
        TimePoint ends;            // When the clocks change next; TimePoint::max(): never.
    };

    /// The zone of that name. Understood are IANA names in any case and with blanks around or for
    /// underscores, their older names ("US/Eastern") as tzdata has them, and those of Windows
    /// ("Pacific Standard Time"). Nothing for what is no zone, "BST" among them: in London it is
    /// another than in Dhaka. The search costs a little: remember the answer.
    [[nodiscard]] static std::optional<TimeZone> find(std::string_view name);
    [[nodiscard]] static TimeZone utc();

    /// The IANA name.
    [[nodiscard]] const std::string& name() const;

    [[nodiscard]] Period at(TimePoint moment) const;

private:
    explicit TimeZone(const date::time_zone* zone) : zone_{zone} {}
    const date::time_zone* zone_;
};

/// Where the system keeps its tzdata.
inline constexpr const char* time_zone_folder = "/usr/share/zoneinfo";

/// The version of the system's tzdata, "2025b"; "unknown" where the system does not say.
[[nodiscard]] std::string time_zone_data_version();

}  // namespace fanfare
