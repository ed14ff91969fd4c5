#include "worker/sweep/outage.hpp"

#include <algorithm>

namespace fanfare {
namespace {

constexpr std::chrono::seconds noticeable{1};  // An answer this late was an outage as well.
constexpr std::chrono::seconds calm_at_first{5};

}  // namespace

void Outage::answered(SteadyTime asked, SteadyTime now) {
    auto lasted = now - since_.value_or(asked);
    since_.reset();
    if (first_) lasted = std::max<SteadyTime::duration>(lasted, calm_at_first);
    first_ = false;
    if (lasted < noticeable) return;
    const auto calm = now + std::min<SteadyTime::duration>(lasted, lease_);
    calm_until_ = std::max(calm, calm_until_.value_or(calm));
}

void Outage::failed(SteadyTime asked) {
    if (!since_) since_ = first_ ? asked - lease_ : asked;
}

bool Outage::is_over(SteadyTime now) const {
    return !since_ && (!calm_until_ || now >= *calm_until_);
}

}  // namespace fanfare
