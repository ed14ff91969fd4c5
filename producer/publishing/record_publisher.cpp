#include "producer/publishing/record_publisher.hpp"

#include "core/clock/timer.hpp"

#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>

#include <tuple>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::seconds acknowledged_max{10};

/// Shared with callbacks, which may come after we gave up.
struct Wait {
    Wait(const asio::any_io_executor& executor, std::size_t count) : timer{executor}, left{count} {}
    void settle(Result<void> result) {
        if (!result) {
            spdlog::warn("{}", describe(result.error()));
            all = std::move(result);
        }
        if (--left == 0) timer.cancel();
    }
    Timer timer;
    std::size_t left;
    Result<void> all;
};

}  // namespace

Result<std::unique_ptr<RecordPublisher>> RecordPublisher::open(const KafkaSettings& settings,
                                                               asio::any_io_executor executor,
                                                               kafka::TopicKeeper* keeper) {
    const auto topics = kafka::list_topics(settings);
    auto kafka = kafka::Producer::open(settings, {topics.jobs, topics.receipts}, keeper);
    if (!kafka) return kafka.error();
    return std::unique_ptr<RecordPublisher>{
        new RecordPublisher{std::move(executor), std::move(kafka.value())}};
}

RecordPublisher::RecordPublisher(asio::any_io_executor executor,
                                 std::unique_ptr<kafka::Producer> kafka)
    : executor_{std::move(executor)}, kafka_{std::move(kafka)} {}

RecordPublisher::~RecordPublisher() { kafka_->give_up(); }

asio::awaitable<Result<void>> RecordPublisher::publish(std::string topic,
                                                       std::vector<Record> records) {
    auto wait = std::make_shared<Wait>(executor_, records.size());
    for (const auto& record : records) {
        auto queued =
            kafka_->publish({topic, record.key, record.value, record.headers},
                            [wait, home = executor_](Result<void> result) {
                                asio::post(home, [wait, result = std::move(result)]() mutable {
                                    wait->settle(std::move(result));
                                });
                            });
        if (!queued) wait->settle(std::move(queued));
    }
    if (wait->left > 0) {
        std::ignore = co_await wait->timer.wait(acknowledged_max);
    }
    if (wait->left > 0) co_return fail(Errc::kafka_unavailable, "publish to " + topic + " in time");
    co_return wait->all;
}

}  // namespace fanfare
