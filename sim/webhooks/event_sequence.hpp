#pragma once

#include "sim/webhooks/settings.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fanfare::sim {

/// What becomes of every message to an address: the same for the same seed and settings.
[[nodiscard]] EventKind decide_outcome(const WebhookSettings& settings, std::uint64_t seed,
                                       Scheme scheme, std::string_view address);

/// The events that tell of an outcome, in the order in which they are told.
struct EventSequence {
    std::array<EventKind, 5> kinds{};
    std::uint8_t size = 0;
};

struct SequenceOptions {
    bool progress = false;
    bool deferred = false;
    bool reversed = false;
};

[[nodiscard]] EventSequence plan_events(EventKind outcome, Scheme scheme,
                                        const SequenceOptions& options);

/// What came of one post.
struct Reply {
    bool connected = true;
    int status = 0;  // 0: no answer.
};

/// How long the provider waits before it posts an event again that failed `failures` times, in
/// its own time; nothing: it gives up. `url` matters to Twilio, whose rules stand in its fragment.
[[nodiscard]] std::optional<std::chrono::seconds> retry_wait(Scheme scheme, unsigned failures,
                                                             const Reply& reply,
                                                             std::string_view url);

/// Of any text; the same in every run.
[[nodiscard]] std::uint64_t stable_hash(std::string_view text) noexcept;

}  // namespace fanfare::sim
