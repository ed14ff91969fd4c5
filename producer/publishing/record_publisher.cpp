#include "producer/publishing/record_publisher.hpp"

#include <spdlog/spdlog.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::seconds acknowledged_max{10};

Result<std::unique_ptr<kafka::Producer>> open_kafka(const KafkaSettings& settings) {
    const auto topics = kafka::topics_of(settings);
    return kafka::Producer::open(settings, {topics.jobs, topics.receipts});
}

/// Shared with callbacks, which may come after we gave up.
struct Wait {
    Wait(const asio::any_io_executor& executor, std::size_t count)
        : timer{executor, acknowledged_max}, left{count} {}
    void settle(bool stored) {
        all_stored = all_stored && stored;
        if (--left == 0) timer.cancel();
    }
    asio::steady_timer timer;
    std::size_t left;
    bool all_stored = true;
};

}  // namespace

Result<std::unique_ptr<RecordPublisher>> RecordPublisher::open(const KafkaSettings& settings,
                                                               asio::any_io_executor executor) {
    auto kafka = open_kafka(settings);
    if (!kafka) return kafka.error();
    return std::unique_ptr<RecordPublisher>{
        new RecordPublisher{settings, std::move(executor), std::move(kafka.value())}};
}

RecordPublisher::RecordPublisher(const KafkaSettings& settings, asio::any_io_executor executor,
                                 std::unique_ptr<kafka::Producer> kafka)
    : settings_{settings}, executor_{std::move(executor)}, kafka_{std::move(kafka)} {}

void RecordPublisher::mend() {
    if (!kafka_->is_fatal()) return;
    auto fresh = open_kafka(settings_);
    if (!fresh) {
        spdlog::error("{}", describe(fresh.error()));
        return;
    }
    spdlog::warn("the HTTP server's Kafka client had a fatal error and was replaced");
    kafka_ = std::move(fresh.value());
}

asio::awaitable<bool> RecordPublisher::publish(std::string topic, std::vector<Record> records) {
    mend();
    auto wait = std::make_shared<Wait>(executor_, records.size());
    for (const auto& record : records) {
        const auto queued = kafka_->publish(
            {topic, record.key, record.value, {}},
            [wait, home = executor_](const Result<void>& result) {
                if (!result) spdlog::warn("{}", describe(result.error()));
                asio::post(home, [wait, stored = result.has_value()] { wait->settle(stored); });
            });
        if (!queued) {
            spdlog::warn("{}", describe(queued.error()));
            wait->settle(false);
        }
    }
    if (wait->left > 0) {
        co_await wait->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return wait->left == 0 && wait->all_stored;
}

}  // namespace fanfare
