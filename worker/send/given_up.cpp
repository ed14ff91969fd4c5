#include "worker/send/given_up.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fanfare {

std::string given_up_in(const ledger::ChunkPeople& people) {
    std::array<std::size_t, reason_count> by_cause{};
    std::size_t given_up = 0;
    for (std::size_t i = 0; i < people.outcomes.size(); ++i) {
        if (static_cast<Outcome>(people.outcomes[i]) != Outcome::failed) continue;
        // Behind used up attempts stands what used them up.
        const auto said = people.causes[i] != '\0' ? people.causes[i] : people.reasons[i];
        const auto cause = static_cast<unsigned char>(said);
        if (cause < by_cause.size()) ++by_cause[cause];
        ++given_up;
    }
    if (given_up == 0) return {};
    const auto most = std::max_element(by_cause.begin(), by_cause.end());
    return fmt::format("{} people are given up, most of them for {}", given_up,
                       to_string(static_cast<Reason>(most - by_cause.begin())));
}

}  // namespace fanfare
