#pragma once

#include "core/error/failure.hpp"
#include "core/kafka/producer.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {

/// Publishes what came in by HTTP, and says when the broker has it: receipts and jobs of
/// backends share its one Kafka client.
///
/// Bounds    what kafka::Producer queues; 10 s for an acknowledgement.
/// Threads   `executor`, which must be serial.
/// Stop      the destructor waits for nothing: whoever was answered was answered before.
/// Lifetime  the executor and the keeper outlive it: the broker's word may come late.
class RecordPublisher {
public:
    [[nodiscard]] static Result<std::unique_ptr<RecordPublisher>> open(
        const KafkaSettings& settings, boost::asio::any_io_executor executor,
        kafka::TopicKeeper* keeper);
    ~RecordPublisher();

    struct Record {
        std::string key;
        std::string value;
        std::vector<std::pair<std::string, std::string>> headers;
    };
    /// No failure once the broker has all of them; one when it does not say so in time. They may
    /// arrive then all the same: a job or a receipt that comes twice changes nothing.
    [[nodiscard]] boost::asio::awaitable<Result<void>> publish(std::string topic,
                                                               std::vector<Record> records);

private:
    RecordPublisher(boost::asio::any_io_executor executor, std::unique_ptr<kafka::Producer> kafka);

    boost::asio::any_io_executor executor_;
    std::unique_ptr<kafka::Producer> kafka_;
};

}  // namespace fanfare
