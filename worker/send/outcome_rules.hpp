#pragma once

#include "core/domain/words.hpp"

#include <chrono>
#include <cstdint>

namespace fanfare {

/// What one verdict makes of one address of one recipient.
struct Fate {
    Outcome outcome = Outcome::pending;
    Reason reason = Reason::none;
    bool operator==(const Fate&) const = default;
};

struct Situation {
    DoubtPolicy on_doubt = DoubtPolicy::hold;
    std::int32_t attempts_used = 1;  // This one included.
    std::int32_t attempts_max = 5;
};

/// Every rule on what follows a provider's answer, in one place. Pure.
///
/// Throttling and a broken account cost the recipient nothing: only `transient`, and doubt
/// that is sent again, use up attempts.
[[nodiscard]] Fate fate_of(Verdict verdict, Reason reason, const Situation& situation);

/// True when the verdict uses up one of the recipient's attempts.
[[nodiscard]] constexpr bool costs_attempt(Verdict verdict) noexcept {
    return verdict == Verdict::transient || verdict == Verdict::ambiguous;
}

/// A person with several addresses (devices) has one outcome: told on any is told; doubt on
/// one forbids another try, which could tell them twice; then hope, then the worst.
[[nodiscard]] Fate merge(Fate known, Fate next);

/// How long to wait after `attempts_used` counted attempts: doubling, with jitter in [0, 1)
/// adding up to half.
struct Backoff {
    std::chrono::milliseconds first{1'000};
    std::chrono::milliseconds max{300'000};
};
[[nodiscard]] std::chrono::milliseconds wait_after(const Backoff& backoff,
                                                   std::int32_t attempts_used, double jitter);

}  // namespace fanfare
