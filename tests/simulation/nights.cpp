#include "tests/simulation/nights.hpp"

#include <algorithm>
#include <array>

namespace fanfare::simulation {
namespace {

using std::chrono::seconds;

/// A town, and how long after the first one its people wake.
struct Town {
    std::string_view zone;
    seconds later{0};
};
// As tzdata has them before 1911: 7:07:12, 7:06:30 and 6:42:04 east of Greenwich.
constexpr std::array<Town, 3> towns{{{"Asia/Jakarta", seconds{0}},
                                     {"Asia/Ho_Chi_Minh", seconds{42}},
                                     {"Asia/Bangkok", seconds{1'508}}}};
constexpr std::string_view awake = "Europe/London";
/// When clocks in the first town show seven.
constexpr TimePoint first_morning{std::chrono::sys_days{std::chrono::year{1909} / 12 / 31} +
                                  std::chrono::hours{23} + std::chrono::minutes{52} + seconds{48}};

std::size_t number_of(std::string_view person) {
    std::size_t number = 0;
    for (const char c : person) {
        if (c >= '0' && c <= '9') number = number * 10 + static_cast<std::size_t>(c - '0');
    }
    return number;
}

const Town* town_of(std::string_view person, std::size_t device, Nights::Towns all) {
    const auto turn = number_of(person) % 6;
    if (turn == 0) return &towns[0];
    if (turn == 2) return &towns[all == Nights::Towns::one ? 0 : 1];
    if (turn == 3 && device == 0) return &towns[0];  // Their other device is where they are awake.
    if (turn == 5 && all == Nights::Towns::three) return &towns[2];
    return nullptr;
}

}  // namespace

TimePoint Nights::begins() const { return any() ? first_morning - wakes_after_ : TimePoint{}; }

std::optional<QuietHours> Nights::quiet_hours() const {
    if (!any()) return std::nullopt;
    constexpr std::chrono::hours from{1}, to{7};
    return QuietHours{from, to, drops(), std::string{awake}};
}

std::string_view Nights::zone_of(std::string_view person, std::size_t device) const {
    if (!any()) return {};
    const auto* const town = town_of(person, device, towns_);
    if (town != nullptr) return town->zone;
    return number_of(person) % 2 == 0 ? awake : std::string_view{};
}

SteadyTime Nights::device_wakes(std::string_view person, std::size_t device) const {
    if (!any()) return {};
    const auto* const town = town_of(person, device, towns_);
    return town == nullptr ? SteadyTime{} : SteadyTime{wakes_after_ + town->later};
}

SteadyTime Nights::last_wakes(std::string_view person, std::size_t devices) const {
    SteadyTime last{};
    for (std::size_t i = 0; i < devices; ++i) last = std::max(last, device_wakes(person, i));
    return last;
}

}  // namespace fanfare::simulation
