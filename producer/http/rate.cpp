#include "producer/http/rate.hpp"

#include <algorithm>

namespace fanfare {

double Rate::left_at(SteadyTime now) const {
    const std::chrono::duration<double> since = now - as_of_;
    return std::min(at_once_, left_ + std::max(0.0, since.count()) * per_second_);
}

bool Rate::take(SteadyTime now) {
    left_ = left_at(now);
    as_of_ = now;
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
}

bool Rates::take(const std::string& each, SteadyTime now) {
    if (const auto found = known_.find(each); found != known_.end()) return found->second.take(now);
    if (known_.size() >= each_max) {
        std::erase_if(known_, [now](const auto& rate) { return rate.second.is_full(now); });
    }
    if (known_.size() >= each_max) return shared_.take(now);
    return known_.emplace(each, fresh_).first->second.take(now);
}

}  // namespace fanfare
