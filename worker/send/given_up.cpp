#include "worker/send/given_up.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fanfare {

std::string given_up_in(const ledger::ClaimedChunk& chunk) {
    std::array<std::size_t, reason_count> by_cause{};
    std::size_t people = 0;
    for (std::size_t i = 0; i < chunk.outcomes.size(); ++i) {
        if (static_cast<Outcome>(chunk.outcomes[i]) != Outcome::failed) continue;
        // Behind used up attempts stands what used them up.
        const auto said = chunk.causes[i] != '\0' ? chunk.causes[i] : chunk.reasons[i];
        const auto cause = static_cast<std::size_t>(said);
        if (cause < by_cause.size()) ++by_cause[cause];
        ++people;
    }
    if (people == 0) return {};
    const auto most = std::max_element(by_cause.begin(), by_cause.end());
    return fmt::format("{} people are given up, most of them for {}", people,
                       to_string(static_cast<Reason>(most - by_cause.begin())));
}

}  // namespace fanfare
