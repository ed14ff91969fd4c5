#pragma once

#include "core/kafka/producer.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare {

/// Where records go that are no job.
///
/// Threads   one serial executor, on which the answers come as well.
/// Lifetime  what is passed outlives the await.
class DeadLetters {
public:
    struct Letter {
        std::string_view key, value;
        std::vector<std::pair<std::string, std::string>> headers;
    };
    virtual ~DeadLetters() = default;
    /// Waits until the broker has it. Errc::kafka_too_large: it never takes it.
    [[nodiscard]] virtual boost::asio::awaitable<Result<void>> publish(const Letter& letter) = 0;
};

/// Kafka's topic of them.
///
/// Lifetime  the producer outlives it.
class KafkaDeadLetters final : public DeadLetters {
public:
    KafkaDeadLetters(kafka::Producer& producer, std::string topic)
        : producer_{producer}, topic_{std::move(topic)} {}
    [[nodiscard]] boost::asio::awaitable<Result<void>> publish(const Letter& letter) override;

private:
    kafka::Producer& producer_;
    std::string topic_;
};

}  // namespace fanfare
