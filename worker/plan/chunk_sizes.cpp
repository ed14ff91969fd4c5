#include "worker/plan/chunk_sizes.hpp"

#include <algorithm>

namespace fanfare {

Planner::Sizes chunk_sizes(const Settings& settings, const AccountSelector& selector) {
    Planner::Sizes sizes{};
    for (const auto channel : channels) {
        const auto i = static_cast<std::size_t>(channel);
        sizes[i] = settings.worker.channels[i].chunk_recipients_max;
        for (const auto& account : selector.all()) {
            if (account->settings().channel != channel) continue;
            sizes[i] = account->chunk_people(sizes[i]);
        }
    }
    return sizes;
}

}  // namespace fanfare
