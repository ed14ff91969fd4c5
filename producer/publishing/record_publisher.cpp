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
                                                               asio::any_io_executor executor,
                                                               kafka::TopicKeeper* keeper) {
    const auto topics = kafka::topics_of(settings);
    auto kafka = kafka::Producer::open(settings, {topics.jobs, topics.receipts}, keeper);
    if (!kafka) return kafka.error();
    return std::unique_ptr<RecordPublisher>{
        new RecordPublisher{std::move(executor), std::move(kafka.value())}};
}

RecordPublisher::RecordPublisher(asio::any_io_executor executor,
                                 std::unique_ptr<kafka::Producer> kafka)
    : executor_{std::move(executor)}, kafka_{std::move(kafka)} {}

RecordPublisher::~RecordPublisher() { kafka_->give_up(); }

asio::awaitable<bool> RecordPublisher::publish(std::string topic, std::vector<Record> records) {
    auto wait = std::make_shared<Wait>(executor_, records.size());
    for (const auto& record : records) {
        const auto queued = kafka_->publish(
            {topic, record.key, record.value, record.headers},
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
