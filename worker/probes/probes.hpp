#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/vocabulary.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace fanfare {

/// What one provider account does, in numbers. The logic never sees labels; every series is
/// resolved here once.
///
/// Threads   any.
class AccountProbe {
public:
    AccountProbe(prometheus::Registry& registry, const std::string& account, Channel channel);

    void answered(Verdict verdict, std::size_t recipients, std::chrono::microseconds elapsed);
    void waited(std::chrono::nanoseconds elapsed);  // For the account's rate.
    void paused(bool value);
    void broken(bool value);
    /// As it is now; `used`: tokens of its rate since the start.
    struct Standing {
        double rate = 0;
        std::uint64_t used = 0;
        std::size_t breaker = 0;  // closed, half open, open
        bool held = false;
    };
    void stands(const Standing& standing);
    void credential_until(TimePoint moment);

private:
    std::array<prometheus::Counter*, verdict_count> requests_{};
    std::array<prometheus::Counter*, verdict_count> recipients_{};
    prometheus::Histogram* seconds_;
    prometheus::Gauge* paused_;
    prometheus::Gauge* broken_;
    prometheus::Histogram* waits_;
    prometheus::Gauge* rate_;
    prometheus::Counter* tokens_;
    prometheus::Gauge* held_;
    std::array<prometheus::Gauge*, 3> breaker_{};
    prometheus::Gauge* credential_until_;
};

/// What the worker does, in numbers.
///
/// Threads   any.
class WorkerProbe {
public:
    explicit WorkerProbe(std::shared_ptr<prometheus::Registry> registry);

    void planned(Channel channel, std::size_t recipients);
    void left_out(std::size_t recipients);  // Of an audience: their ids are too long.
    void lost_zones(std::size_t readers);   // Their time zones are none.
    void chunks_in_flight(Channel channel, int change);
    [[nodiscard]] int chunks_in_flight() const;  // Of all channels.
    /// The database's clock: how far ahead of the machine's, and whether it is believed.
    void clock(double skew_s, bool steady);
    void fenced();
    void taken_over(std::size_t chunks);
    void fetched(std::size_t chunks);
    void dropped_descriptor();
    void job(const std::string& what);  // accepted, repeated, rejected, planned, failed ...
    void ended(const std::string& state, double seconds);       // done, failed, cancelled
    void dead_letter(const std::string& code);                  // One of the rejection codes.
    void receipts(const std::string& what, std::size_t count);  // raised, unchanged, early ...

    [[nodiscard]] AccountProbe& account(const std::string& name, Channel channel);
    [[nodiscard]] const std::shared_ptr<prometheus::Registry>& registry() const noexcept {
        return registry_;
    }

private:
    void expect();

    std::shared_ptr<prometheus::Registry> registry_;
    std::array<prometheus::Counter*, channel_count> planned_{};
    std::array<prometheus::Gauge*, channel_count> in_flight_{};
    prometheus::Counter* left_out_;
    prometheus::Counter* lost_zones_;
    prometheus::Gauge* clock_skew_;
    prometheus::Gauge* clock_doubted_;
    prometheus::Counter* fenced_;
    prometheus::Counter* taken_over_;
    prometheus::Counter* fetched_;
    prometheus::Counter* dropped_;
    prometheus::Family<prometheus::Counter>* jobs_;
    prometheus::Family<prometheus::Counter>* dead_letters_;
    prometheus::Family<prometheus::Counter>* receipts_;
    prometheus::Family<prometheus::Histogram>* job_seconds_;
    std::map<std::string, AccountProbe> accounts_;
};

}  // namespace fanfare
