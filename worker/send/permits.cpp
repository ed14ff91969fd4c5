#include "worker/send/permits.hpp"

#include <algorithm>

namespace fanfare {

void Permits::take_back() noexcept {
    --in_flight_;
    --taken_;
}

void Permits::end() {
    take_back();
    if (ignore_ > 0) {
        --ignore_;
    } else if (limit_ < max_ && ++good_ >= limit_) {
        good_ = 0;
        ++limit_;
    }
}

void Permits::shrink() {
    // Requests that were out together are refused together: one halving is enough for them.
    if (ignore_ > 0) return;
    limit_ = std::max<std::size_t>(1, limit_ / 2);
    good_ = 0;
    ignore_ = in_flight_ + 1;  // The last of them is over before it asks.
}

void Permits::set_max(std::size_t max) {
    if (max == max_) return;
    max_ = max;
    limit_ = max;
    good_ = 0;
}

}  // namespace fanfare
