#pragma once

#include "core/async/wake_signal.hpp"
#include "core/clock/clock.hpp"
#include "core/error/failure.hpp"
#include "core/kafka/client.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace fanfare::kafka {

/// Keeps our topics on the broker: asks for them now and then, and at once when a client missed
/// one, and makes what is missing again, after wait_before_making(). Clients look at its counts and
/// open anew: in this version of librdkafka a reader of a broker that was wiped reads nothing for
/// ever, and a writer goes on under a number that the broker may give to another.
///
/// Bounds    one question at a time, every look_interval; tries to make topics, and clients that
///           open anew, are 0.2, 0.4 ... 30 s apart, spread by chance.
/// Stop      the destructor; it waits for the question in hand.
/// Threads   one of its own; the calls from any.
class TopicKeeper {
public:
    static constexpr std::chrono::milliseconds look_interval{5'000};

    [[nodiscard]] static Result<std::unique_ptr<TopicKeeper>> open(const KafkaSettings& settings);
    ~TopicKeeper();
    TopicKeeper(const TopicKeeper&) = delete;
    TopicKeeper& operator=(const TopicKeeper&) = delete;

    /// A client was told that a topic is unknown.
    void missed();

    /// Grows when topics were missed and are there again: readers open anew.
    [[nodiscard]] std::uint64_t renewals() const noexcept { return renewals_.load(); }
    /// Grows when the broker turned out to be another: writers open anew.
    [[nodiscard]] std::uint64_t brokers() const noexcept { return brokers_.load(); }
    /// "" when all our topics are there, as far as is known; otherwise for people.
    [[nodiscard]] std::string trouble() const;

private:
    explicit TopicKeeper(KafkaSettings settings) : settings_{std::move(settings)} {}
    void run();
    [[nodiscard]] std::chrono::milliseconds look();
    void make(const std::vector<std::string>& names);
    void renew();
    [[nodiscard]] std::chrono::milliseconds next_wait();
    void set_trouble(std::string trouble);

    KafkaSettings settings_;
    Client client_;
    std::vector<Topic> topics_;  // Destroyed before the client.
    WakeSignal waker_;
    std::atomic<bool> missed_{false};
    std::atomic<std::uint64_t> renewals_{0};
    std::atomic<std::uint64_t> brokers_{0};
    mutable std::mutex mutex_;
    std::string trouble_;  // Under the mutex. The rest is the thread's own.
    std::string cluster_;
    bool lost_ = false;                        // Topics were missing since clients opened last ...
    bool is_other_ = false;                    // ... or the broker became another.
    std::vector<std::string> missing_;         // At the last look at which some were.
    std::optional<SteadyTime> missing_since_;  // All of these.
    SteadyTime renew_at_{};                    // Not before.
    std::uint32_t tries_ = 0;                  // Since all was well for a while.
    std::uint32_t well_ = 0;                   // Looks in a row that found all there.
    std::minstd_rand random_{std::random_device{}()};
    std::thread thread_;
};

}  // namespace fanfare::kafka
