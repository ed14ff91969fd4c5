#pragma once

#include "sim/webhooks/webhook_queue.hpp"

namespace fanfare::sim {

/// A message as it is remembered until reset().
struct WebhookQueue::Entry {
    std::string address;
    std::uint32_t job;
    ProviderIndex provider;
    EventKind outcome;
    EventKind told = EventKind::none;
};

/// A message of which there is more to tell. Its texts lie packed: see pack().
struct WebhookQueue::Record {
    SteadyTime due;
    std::uint64_t order = 0;  // Of two due at once the first.
    std::uint64_t number = 0;
    std::int64_t accepted_ms = 0;
    std::string packed;
    std::uint32_t entry = 0;
    Scheme scheme = Scheme::mailgun;
    SequenceOptions options;
    std::uint8_t step = 0;
    std::uint8_t failures = 0;  // Of this step.
    bool repeated = false;      // This step is told a second time.
};

/// What is known of one provider.
struct WebhookQueue::ProviderQueue {
    struct Counts {
        std::uint64_t messages = 0;    // Taken.
        std::uint64_t skipped = 0;     // Not taken: no URL, or too many.
        std::uint64_t posts = 0;       // Requests.
        std::uint64_t answered = 0;    // Events answered with 2xx; repeats count in duplicated.
        std::uint64_t failed = 0;      // Events of posts that were not.
        std::uint64_t given_up = 0;    // Events never answered with 2xx.
        std::uint64_t duplicated = 0;  // Events told again although they were answered.
    };
    struct Subscription {
        std::string token;
        std::optional<SteadyTime> due;  // Nothing: not to be asked (again).
        unsigned failures = 0;
        bool asked = false;
        bool confirmed = false;
    };

    ProviderIndex provider = 0;
    bool has_subscription = false;  // SNS
    WebhookSettings settings;
    std::shared_ptr<const Keys> keys;  // With the settings' own; null: to be made.
    std::vector<Record> waiting;       // A heap, the next one on top.
    std::size_t out = 0;               // Records in flight.
    std::size_t in_flight = 0;         // Posts in flight.
    Counts counts;
    std::array<std::uint64_t, event_kind_count> outcomes{};
    Subscription subscription;

    [[nodiscard]] bool has_room() const noexcept {
        return static_cast<double>(in_flight) < settings.concurrency;
    }
    [[nodiscard]] bool is_waiting_for_consent() const noexcept {
        return has_subscription && settings.await_confirmation && !subscription.confirmed;
    }
};

struct WebhookQueue::Sent {
    ProviderIndex provider;
    std::vector<Record> records;  // None: a subscription.
};

/// A delivery in one string, without its address: saves 16 bytes a text.
[[nodiscard]] std::string pack(const Delivery& delivery);
[[nodiscard]] Delivery unpack(std::string_view packed);

}  // namespace fanfare::sim
