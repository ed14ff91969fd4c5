#pragma once

#include "core/clock/clock.hpp"
#include "core/error/failure.hpp"
#include "core/kafka/client.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace fanfare::kafka {

class TopicKeeper;

/// Publishes records, idempotently, and tells when the broker has them.
///
/// A record counts as published only when its callback says so: being queued is nothing. A client
/// of librdkafka that no retry can mend, or whose broker became another, is replaced: what was on
/// its way is told as failed. Errc::kafka_too_large: the broker takes no record of that size, now
/// or later.
///
/// Bounds    100,000 records or 64 MiB queued; beyond that publish() fails at once.
/// Stop      give_up() fails what is on its way; the destructor flushes for up to 10 s and then
///           lets go; unreported records get no callback. Callers that must know wait for their
///           callbacks first.
/// Threads   all calls from any; callbacks run on the producer's own thread.
/// Lifetime  the keeper outlives it.
class Producer {
public:
    using Published = std::function<void(Result<void>)>;
    struct Record {
        std::string_view topic;
        std::string_view key;
        std::string_view value;
        std::vector<std::pair<std::string, std::string>> headers;
    };

    /// `topics` are looked up here, for at most 5 s: of any other, the first record waits for up
    /// to a second. They should exist; a broker that cannot be reached is no fault yet. `keeper`
    /// hears of a topic that is unknown.
    [[nodiscard]] static Result<std::unique_ptr<Producer>> open(
        const KafkaSettings& settings, const std::vector<std::string>& topics = {},
        TopicKeeper* keeper = nullptr);
    ~Producer();
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;

    /// Queues a copy of the record. `published` may be empty.
    [[nodiscard]] Result<void> publish(const Record& record, Published published);

    /// Publishes and waits for the broker. For programs that do one thing at a time.
    [[nodiscard]] Result<void> publish_and_wait(const Record& record,
                                                std::chrono::milliseconds timeout);

    /// Whether a broker answers within the time. Blocks.
    [[nodiscard]] bool reaches_broker(std::chrono::milliseconds timeout = std::chrono::seconds{
                                          2}) const;
    /// Records that are not reported yet.
    [[nodiscard]] std::size_t waiting() const;
    /// Waits no more: whatever is on its way is reported, as failed.
    void give_up();

private:
    struct Line {  // One client of librdkafka; the topics go first.
        Client client;
        Queue queue;                // Of its reports; gone before it.
        std::vector<Topic> topics;  // Known as long as they are held.
    };

    Producer(KafkaSettings settings, std::vector<std::string> topics, TopicKeeper* keeper)
        : settings_{std::move(settings)}, names_{std::move(topics)}, keeper_{keeper} {}
    [[nodiscard]] Result<std::shared_ptr<Line>> open_line();
    [[nodiscard]] std::shared_ptr<Line> line() const;
    void poll_loop();
    [[nodiscard]] bool is_worn() const;
    void replace();
    void note(rd_kafka_resp_err_t error);
    static void on_delivery(rd_kafka_t* client, const rd_kafka_message_t* message, void* self);

    KafkaSettings settings_;
    std::vector<std::string> names_;
    TopicKeeper* keeper_;
    mutable std::shared_mutex mutex_;  // Held alone by the own thread, to replace the line.
    std::shared_ptr<Line> line_;
    std::uint64_t broker_ = 0;  // As the keeper counts them. The own thread's, as those below.
    SteadyTime replace_at_{};   // Not before.
    std::uint32_t replaced_ = 0;
    std::atomic<bool> stopping_{false};
    std::thread poller_;
};

}  // namespace fanfare::kafka
