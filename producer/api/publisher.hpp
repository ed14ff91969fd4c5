#pragma once

#include "core/error/failure.hpp"
#include "core/kafka/producer.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace fanfare::api {

/// Publishes the jobs of backends on fanfare.jobs.
///
/// Bounds    what kafka::Producer queues; 10 s for an acknowledgement.
/// Threads   publish() on the executor's.
class JobPublisher {
public:
    [[nodiscard]] static Result<std::unique_ptr<JobPublisher>> open(
        const KafkaSettings& settings, boost::asio::any_io_executor executor);

    /// True once the broker has it; false when that is not known.
    [[nodiscard]] boost::asio::awaitable<bool> publish(std::string job, std::string body);

private:
    JobPublisher(const KafkaSettings& settings, boost::asio::any_io_executor executor,
                 std::unique_ptr<kafka::Producer> kafka);
    void mend();

    const KafkaSettings& settings_;
    boost::asio::any_io_executor executor_;
    std::string topic_;
    std::unique_ptr<kafka::Producer> kafka_;
};

}  // namespace fanfare::api
