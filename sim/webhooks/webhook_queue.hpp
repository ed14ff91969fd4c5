#pragma once

#include "core/clock/clock.hpp"
#include "sim/oracle/oracle.hpp"
#include "sim/webhooks/event_sequence.hpp"
#include "sim/webhooks/settings.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fanfare::sim {

/// One post that is due.
struct WebhookRequest {
    std::uint64_t id = 0;
    std::vector<Event> events;       // Of one scheme; empty: a subscription to confirm.
    std::string subscription_token;  // Of SNS.
    Posting posting;
    std::string connect;  // WebhookSettings::connect
    std::shared_ptr<const Keys> keys;
};

/// Decides what becomes of accepted messages, and which event is to be told next: the webhooks'
/// side of the simulator without I/O. WebhookSender obeys it.
///
/// The events of one person go one after the other, each once the one before is answered or
/// given up.
///
/// Bounds    Nothing while a provider's webhooks are off. Else `messages_max` messages are
///           remembered until reset(), about 150 bytes each and 300 more until all is told; what
///           is beyond counts as `skipped` and has no events.
/// Threads   any: it locks. on_work() once, before others call.
class WebhookQueue {
public:
    static constexpr std::size_t messages_max = 2'000'000;

    /// Providers by name, in the order of their index.
    WebhookQueue(std::uint64_t seed, const std::vector<std::string_view>& providers);
    ~WebhookQueue();

    // The request side.

    /// Whether deliveries of a provider are wanted; cheap.
    [[nodiscard]] bool wants(ProviderIndex provider) const noexcept;
    void take(ProviderIndex provider, std::string_view reference,
              const std::vector<Delivery>& deliveries, const Clock& clock);

    // The sender's side.

    /// Called whenever something may have become due, on any thread, without the lock.
    void on_work(std::function<void()> wake);
    /// The next post that is due and within its provider's concurrency.
    [[nodiscard]] std::optional<WebhookRequest> next(const Clock& clock);
    /// When to ask again, unless on_work's callback says so earlier.
    [[nodiscard]] std::optional<SteadyTime> next_due() const;
    void done(std::uint64_t id, const Reply& reply, const Clock& clock);

    // The admin's side.

    [[nodiscard]] WebhookSettings settings(ProviderIndex provider) const;
    void set_settings(ProviderIndex provider, WebhookSettings settings);
    /// Makes the key pairs at the first call.
    [[nodiscard]] std::shared_ptr<const Keys> keys();
    void set_keys(Keys keys);
    /// A GET of SubscribeURL. False: no such question was asked.
    bool confirm(std::string_view token);
    /// Of one provider.
    [[nodiscard]] boost::json::object summary(ProviderIndex provider) const;

    /// A message and the weightiest event of it that was answered with 2xx.
    struct Line {
        std::string address;
        ProviderIndex provider;
        std::string job;
        EventKind told;
    };
    /// Up to `count` lines from `index` on, in order of acceptance.
    [[nodiscard]] std::vector<Line> lines(std::size_t index, std::size_t count) const;
    [[nodiscard]] std::uint64_t generation() const;
    /// Forgets messages and counts; keeps settings and keys.
    void reset();

private:
    struct Entry;
    struct Record;
    struct ProviderQueue;
    struct Sent;

    void make_pairs();
    [[nodiscard]] std::shared_ptr<const Keys> find_keys(ProviderQueue& queue, Scheme scheme);
    [[nodiscard]] std::uint32_t find_job(std::string_view reference);
    void admit(ProviderQueue& queue, std::uint32_t job, const Delivery& delivery,
               const Clock& clock);
    void put(ProviderQueue& queue, Record record);
    [[nodiscard]] EventSequence sequence_for(const Record& record) const;
    [[nodiscard]] Event to_event(const Record& record) const;
    [[nodiscard]] std::optional<WebhookRequest> take_next(ProviderQueue& queue, const Clock& clock);
    [[nodiscard]] WebhookRequest ask_subscription(ProviderQueue& queue, const Clock& clock);
    [[nodiscard]] WebhookRequest webhook_for(ProviderQueue& queue, Scheme scheme, std::string url,
                                             const Clock& clock);
    void settle(ProviderQueue& queue, Record record, const Reply& reply, SteadyTime now);
    void advance(ProviderQueue& queue, Record record, SteadyTime now);
    void settle_subscription(ProviderQueue& queue, const Reply& reply, SteadyTime now);
    void wake() const;

    const std::uint64_t seed_;
    std::atomic<std::uint64_t> wanted_ = 0;  // A bit a provider.
    std::function<void()> on_work_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Keys> keys_;
    std::vector<std::unique_ptr<ProviderQueue>> queues_;  // By ProviderIndex.
    std::deque<Entry> entries_;
    std::vector<std::string> jobs_;
    std::unordered_map<std::string, std::uint32_t, TransparentHash, std::equal_to<>> job_index_;
    std::unordered_map<std::uint64_t, Sent> sent_;
    std::uint64_t next_id_ = 0;
    std::uint64_t next_order_ = 0;
    std::uint64_t generation_ = 0;
    std::size_t turn_ = 0;  // Whose turn it is among the queues.
};

}  // namespace fanfare::sim
