#include "worker/send/account_selector.hpp"

#include <algorithm>

namespace fanfare {

// Each candidate is credited its weight, the one with most credit serves and pays for all:
// shares are exact over every round, and turns are spread out.
Account* AccountSelector::by_weight(Channel channel) {
    Account* best = nullptr;
    std::size_t best_index = 0;
    std::int64_t total = 0;
    for (std::size_t i = 0; i < accounts_.size(); ++i) {
        auto& account = *accounts_[i];
        const auto weight = std::int64_t{account.settings().weight};
        if (account.settings().channel != channel || weight == 0 || !account.is_usable()) continue;
        total += weight;
        credits_[i] += weight;
        if (best == nullptr || credits_[i] > credits_[best_index]) {
            best = &account;
            best_index = i;
        }
    }
    if (best != nullptr) credits_[best_index] -= total;
    return best;
}

Account* AccountSelector::next(Channel channel) {
    if (Account* const account = by_weight(channel)) return account;
    for (const auto& account : accounts_) {
        const auto& settings = account->settings();
        if (settings.channel == channel && settings.weight == 0 && account->is_usable()) {
            return account.get();
        }
    }
    return nullptr;
}

bool AccountSelector::serves(Channel channel) const {
    return std::any_of(accounts_.begin(), accounts_.end(), [channel](const auto& account) {
        return account->settings().channel == channel && account->is_usable();
    });
}

std::chrono::milliseconds AccountSelector::wait(Channel channel) const {
    std::chrono::milliseconds wait{1'000};
    for (const auto& account : accounts_) {
        if (account->settings().channel == channel) {
            wait = std::min(wait, account->unusable_for());
        }
    }
    return std::max(wait, std::chrono::milliseconds{50});
}

Account* AccountSelector::find(std::string_view name) const {
    const auto found =
        std::find_if(accounts_.begin(), accounts_.end(),
                     [name](const auto& account) { return account->settings().name == name; });
    return found == accounts_.end() ? nullptr : found->get();
}

}  // namespace fanfare
