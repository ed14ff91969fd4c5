#pragma once

#include "core/kafka/producer.hpp"
#include "core/wire/receipt.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <vector>

namespace fanfare {

/// Receipts on their way to <prefix>.receipts, with a Kafka client of their own.
///
/// Threads   `executor`, which must be serial.
/// Lifetime  the executor outlives it: the broker's word may come late.
class ReceiptPublisher {
public:
    [[nodiscard]] static Result<std::unique_ptr<ReceiptPublisher>> open(
        const KafkaSettings& settings, boost::asio::any_io_executor executor);

    /// True once the broker has all of them; false when it does not say so within 10 s. They may
    /// arrive then all the same: a receipt that comes twice changes nothing.
    [[nodiscard]] boost::asio::awaitable<bool> publish(std::vector<ReceiptBatch> batches);

private:
    ReceiptPublisher(const KafkaSettings& settings, boost::asio::any_io_executor executor,
                     std::unique_ptr<kafka::Producer> kafka);
    /// After an error that no retry mends, a new client takes over.
    void mend();

    KafkaSettings settings_;
    boost::asio::any_io_executor executor_;
    std::string topic_;
    std::unique_ptr<kafka::Producer> kafka_;
};

}  // namespace fanfare
