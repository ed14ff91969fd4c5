#pragma once

#include "worker/send/account.hpp"

#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

namespace fanfare {

/// The provider accounts, and which of a channel's is next: by weight among those in good
/// health. An account of weight 0 serves only while no other can.
///
/// Threads   one serial executor.
class AccountSelector {
public:
    explicit AccountSelector(std::vector<std::unique_ptr<Account>> accounts)
        : accounts_{std::move(accounts)}, credits_(accounts_.size()) {}

    /// The next account of the channel that can be used now; null when there is none.
    [[nodiscard]] Account* next(Channel channel);
    /// True when there is one that can be used now.
    [[nodiscard]] bool serves(Channel channel) const;
    /// How long until one may be usable: at least 50 ms, at most a second.
    [[nodiscard]] std::chrono::milliseconds wait(Channel channel) const;
    [[nodiscard]] Account* find(std::string_view name) const;

    [[nodiscard]] const std::vector<std::unique_ptr<Account>>& all() const noexcept {
        return accounts_;
    }
    void clear() { accounts_.clear(); }

private:
    [[nodiscard]] Account* by_weight(Channel channel);

    std::vector<std::unique_ptr<Account>> accounts_;
    std::vector<std::int64_t> credits_;  // By account: what it is owed.
};

}  // namespace fanfare
