#pragma once

#include "sim/faults/faults.hpp"
#include "sim/oracle/oracle.hpp"
#include "sim/oracle/recorder.hpp"
#include "sim/providers/provider.hpp"
#include "sim/webhooks/webhook_queue.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace fanfare::sim {

/// Everything the server threads and the admin port share.
///
/// Threads   hold `mutex` for all but `providers` and `seed`, which never change, the atomics, and
///           the queue, which locks for itself.
/// Lifetime  outlives the server. `parked` holds connections: clear it before the server goes.
struct SimulatorState {
    struct Control {
        Faults faults;
        TokenBucket bucket;
        std::atomic<bool> held = false;
        std::atomic<std::uint32_t> token_generation = 0;  // Of `faults`, for checks.
        std::atomic<std::uint64_t> number = 0;            // Requests so far: makes draws and ids.
        std::vector<std::function<void()>> parked;
    };

    SimulatorState(Providers given, std::uint64_t seed_given, std::size_t calls_max)
        : providers{std::move(given)},
          seed{seed_given},
          controls(providers.size()),
          oracle{providers.size()},
          recorder{calls_max},
          webhook_queue{seed, names()} {}

    [[nodiscard]] ProviderIndex provider_count() const {
        return static_cast<ProviderIndex>(providers.size());
    }
    /// Replaces a provider's faults. A bucket whose limit changes starts full.
    void set_faults(std::size_t index, Faults faults) {
        auto& control = controls[index];
        const bool same_limit = faults.limit_per_second == control.faults.limit_per_second &&
                                faults.limit_burst == control.faults.limit_burst &&
                                faults.limit_recipients == control.faults.limit_recipients;
        if (!same_limit) control.bucket.reset();
        control.token_generation = static_cast<std::uint32_t>(faults.token_generation);
        control.faults = std::move(faults);
    }

    const Providers providers;
    const std::uint64_t seed;
    std::mutex mutex;
    std::vector<Control> controls;  // By ProviderIndex, as the oracle's.
    Oracle oracle;
    Recorder recorder;
    WebhookQueue webhook_queue;

private:
    [[nodiscard]] std::vector<std::string_view> names() const {
        std::vector<std::string_view> list;
        for (const auto& provider : providers) list.push_back(provider->name());
        return list;
    }
};

}  // namespace fanfare::sim
