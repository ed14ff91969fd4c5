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

ContactWay QuickerWay::quicker() const {
    const auto& range = of(ContactWay::range);
    const auto& key = of(ContactWay::key);
    if (range.count == 0 || key.count == 0) return ContactWay::range;
    return key_is_quicker_by * key.shortest() < range.shortest() ? ContactWay::key
                                                                 : ContactWay::range;
}

ContactWay QuickerWay::choose(bool may_try) {
    const auto best = quicker();
    const auto other = best == ContactWay::range ? ContactWay::key : ContactWay::range;
    if (!may_try || tried_ || of(best).count == 0) return best;
    const auto& known = of(other);
    const auto after = known.count < times_kept ? try_unknown_after : try_again_after;
    if (known.count > 0 && since_tried_ <= after * known.last) return best;
    since_tried_ = {};
    tried_ = other;
    return other;
}

void QuickerWay::took(ContactWay way, std::size_t people, std::chrono::nanoseconds duration) {
    left(way);
    auto& taken = of(way);
    taken.seconds_a_person[taken.count++ % times_kept] =
        std::chrono::duration<double>{duration}.count() / static_cast<double>(people);
    taken.last = duration;
    since_tried_ += duration;
}

void QuickerWay::left(ContactWay way) {
    if (tried_ == way) tried_.reset();
}

}  // namespace fanfare
