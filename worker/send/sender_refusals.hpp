#pragma once

#include "core/clock/clock.hpp"
#include "core/providers/provider.hpp"

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace fanfare {

/// Whose fault it is when a recipient's mail server refuses us rather than the recipient: "relay
/// denied", "our host refused". One server's opinion costs its own people their mail and nobody
/// else's; where servers of `domains_min` domains say the same and none has taken anything since,
/// it is the account, and nobody is refused for it.
///
/// Who speaks first is not known to be wrong yet: the first word of a domain is looked at again
/// after `settle`, when others have had the time to say the same.
///
/// Bounds    1,000 domains, forgotten after ten minutes.
/// Threads   one serial executor.
class SenderRefusals {
public:
    static constexpr std::size_t domains_min = 3;
    static constexpr std::size_t domains_max = 1'000;
    static constexpr std::chrono::milliseconds settle{2'000};
    static constexpr std::chrono::minutes kept_for{10};

    /// Makes of `answer`, a refusal that speaks of us by the server of `address`, what it means:
    /// this recipient's (as it stands), the account's (config), or not known yet (this address
    /// waits for `settle`). A demand for a login (config) is the account's at once while nothing
    /// was ever taken; afterwards it cannot be ours that is missing, so it is weighed as the
    /// others.
    void weigh(BatchAnswer& answer, std::string_view address, SteadyTime now);

    /// A server has taken a mail: whatever is wrong, it is not wrong everywhere.
    void taken() {
        said_.clear();
        has_taken_ = true;
    }

private:
    [[nodiscard]] bool was_heard(const std::string& domain, SteadyTime now);

    bool has_taken_ = false;
    std::map<std::string_view, std::set<std::string>> said_;  // Since the last mail was taken.
    std::map<std::string, SteadyTime> heard_;                 // First word of a domain.
};

}  // namespace fanfare
