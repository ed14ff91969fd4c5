#include "worker/send/quicker_way.hpp"

#include <algorithm>

namespace fanfare {
namespace {

constexpr double key_is_quicker_by = 1.25;

}  // namespace

double QuickerWay::Taken::shortest() const {
    const auto known = std::min(count, times_kept);
    return *std::min_element(seconds_a_person.begin(), seconds_a_person.begin() + known);
}

ContactWay QuickerWay::choose() {
    for (const auto way : {ContactWay::range, ContactWay::key}) {
        if (of(way).count == 0) return way;
    }
    const bool is_key =
        key_is_quicker_by * of(ContactWay::key).shortest() < of(ContactWay::range).shortest();
    const auto best = is_key ? ContactWay::key : ContactWay::range;
    const auto other = is_key ? ContactWay::range : ContactWay::key;
    const auto after = of(other).count < times_kept ? try_unknown_after : try_again_after;
    if (since_tried_ <= after * of(other).last) return best;
    since_tried_ = {};
    return other;
}

void QuickerWay::took(ContactWay way, std::size_t people, std::chrono::nanoseconds duration) {
    auto& taken = of(way);
    taken.seconds_a_person[taken.count++ % times_kept] =
        std::chrono::duration<double>{duration}.count() / static_cast<double>(people);
    taken.last = duration;
    since_tried_ += duration;
}

}  // namespace fanfare
