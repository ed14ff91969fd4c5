#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/ledger/pauses.hpp"
#include "worker/send/claim.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// What operators hold back, as this worker read it last.
///
/// Bounds    one word for each pause in force.
/// Threads   one serial executor.
class Pauses {
public:
    /// True when something changed.
    bool learn(std::vector<ledger::PauseTarget> now);

    [[nodiscard]] bool holds(Channel channel) const;
    /// The account, or its channel.
    [[nodiscard]] bool holds(Channel channel, const std::string& account) const;
    /// The job, or its kind, as system/kind.
    [[nodiscard]] bool holds_job(const std::string& job, const std::string& kind) const;
    [[nodiscard]] bool empty() const noexcept { return targets_.empty(); }

private:
    [[nodiscard]] bool has(ledger::Paused what, std::string name) const {
        return targets_.contains({what, std::move(name)});
    }
    std::set<ledger::PauseTarget> targets_;
};

/// The job of a claim, or its kind: nothing more of it is begun.
[[nodiscard]] bool holds_back(const Pauses& pauses, const Claim& claim);

}  // namespace fanfare
