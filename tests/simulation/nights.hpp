#pragma once

#include "core/clock/clock.hpp"
#include "core/systems/system.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace fanfare::simulation {

/// Who sleeps when a world begins, and until when, as nobody but the world knows it for certain.
///
/// The world begins in 1909, when clocks on walls were a few seconds apart from one town to the
/// next: so people of one kind wake at several moments without half a day going by.
class Nights {
public:
    enum class Rule : std::uint8_t { none, defer, drop };

    Nights() = default;
    enum class Towns : std::uint8_t { one, two, three };
    Nights(Rule rule, std::chrono::milliseconds wakes_after, Towns towns)
        : rule_{rule}, wakes_after_{wakes_after}, towns_{towns} {}

    [[nodiscard]] bool any() const { return rule_ != Rule::none; }
    [[nodiscard]] bool drops() const { return rule_ == Rule::drop; }
    /// The calendar when the world begins.
    [[nodiscard]] TimePoint begins() const;
    [[nodiscard]] std::optional<QuietHours> quiet_hours() const;
    /// IANA name of where a device of somebody is; "" for a person who has none.
    [[nodiscard]] std::string_view zone_of(std::string_view person, std::size_t device) const;
    /// Since the world began; 0: awake.
    [[nodiscard]] SteadyTime device_wakes(std::string_view person, std::size_t device) const;
    /// The last of their devices.
    [[nodiscard]] SteadyTime last_wakes(std::string_view person, std::size_t devices) const;

private:
    Rule rule_ = Rule::none;
    std::chrono::milliseconds wakes_after_{0};
    Towns towns_ = Towns::two;  // The clocks of the third are half an hour behind the first one's.
};

}  // namespace fanfare::simulation
