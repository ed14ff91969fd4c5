#pragma once

#include "core/error/failure.hpp"
#include "core/kafka/client.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace fanfare::kafka {

/// Publishes records, idempotently, and tells when the broker has them.
///
/// A record counts as published only when its callback says so: being queued is nothing.
///
/// Bounds    100,000 records or 64 MiB queued; beyond that publish() fails at once.
/// Stop      the destructor flushes for up to 10 s and then lets go; unreported records
///           get no callback. Callers that must know wait for their callbacks first.
/// Threads   publish() from any; callbacks run on the producer's own thread.
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
    /// to a second. They should exist; a broker that cannot be reached is no fault yet.
    [[nodiscard]] static Result<std::unique_ptr<Producer>> open(
        const KafkaSettings& settings, const std::vector<std::string>& topics = {});
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

    /// True after an error no retry can mend: open a new producer.
    [[nodiscard]] bool is_fatal() const noexcept { return fatal_.load(); }

private:
    Producer() = default;
    void look_up(const std::vector<std::string>& topics);
    static void on_delivery(rd_kafka_t* client, const rd_kafka_message_t* message, void* self);

    Client client_;
    std::vector<Topic> topics_;  // Known as long as they are held.
    std::atomic<bool> fatal_{false};
    std::atomic<bool> stopping_{false};
    std::thread poller_;
};

}  // namespace fanfare::kafka
