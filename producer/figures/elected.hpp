#pragma once

#include "core/async/wake_signal.hpp"
#include "core/clock/clock.hpp"
#include "core/ledger/figures.hpp"
#include "core/observe/families.hpp"
#include "core/observe/seldom.hpp"
#include "core/postgres/pool.hpp"
#include "core/systems/system.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace fanfare {

/// What is one number for all programs is shown by one producer: whoever holds the lease. It adds
/// up what the ledger counted (docs/metrics.md) and reads the rest with one statement, every
/// `interval`; a scrape shows what was read last, and nothing once somebody else may have the
/// lease.
///
/// Stop      stop() asks and gives the lease back; join() waits for the thread.
/// Threads   one of its own; Collect() from any.
/// Lifetime  ledger, systems and clock outlive it.
class ElectedFigures final : public prometheus::Collectable {
public:
    static constexpr std::chrono::seconds interval{5};
    static constexpr std::chrono::seconds lease{20};

    struct Parts {
        postgres::Pool& ledger;
        const Systems& systems;
        const Clock& clock;
        std::string holder;  // No other program calls itself so.
        std::vector<ledger::NamedAccount> accounts{};
    };
    explicit ElectedFigures(Parts parts) : parts_{std::move(parts)} {}
    ~ElectedFigures() override;

    void start();
    void stop() { waker_.stop(); }
    void join();

    /// One round, on the calling thread.
    void turn();

    [[nodiscard]] Families Collect() const override;

private:
    struct Shown {
        std::int64_t epoch = 0;
        SteadyTime until;  // While nobody else can hold the lease.
        Families families;
    };
    [[nodiscard]] std::optional<Shown> look(postgres::Connection& ledger);

    Parts parts_;
    WakeSignal waker_;
    Seldom failed_{"rounds of the figures failed", parts_.clock};
    mutable std::mutex mutex_;
    std::optional<Shown> shown_;
    std::thread thread_;
};

}  // namespace fanfare
