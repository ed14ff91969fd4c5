#include "worker/plan/chunk_sizes.hpp"

#include <algorithm>
#include <cmath>

namespace fanfare {

Planner::Sizes chunk_sizes(const Settings& settings, const AccountSelector& selector) {
    Planner::Sizes sizes{};
    for (const auto channel : channels) {
        const auto i = static_cast<std::size_t>(channel);
        sizes[i] = settings.worker.channels[i].chunk_recipients_max;
        for (const auto& account : selector.all()) {
            const auto rate = account->settings().rate.per_second;
            if (account->settings().channel != channel || rate <= 0) continue;
            const double batch = account->provider()->rate_unit() == RateUnit::requests
                                     ? static_cast<double>(account->batch_max())
                                     : 1.0;
            const auto two_seconds = std::max(1.0, std::floor(rate * 2 * batch));
            sizes[i] =
                static_cast<std::uint32_t>(std::min(static_cast<double>(sizes[i]), two_seconds));
        }
    }
    return sizes;
}

}  // namespace fanfare
