#include "producer/api/publisher.hpp"

#include <spdlog/spdlog.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::seconds acknowledged_max{10};

/// Shared with the callback, which may come after we gave up.
struct Wait {
    explicit Wait(const asio::any_io_executor& executor) : timer{executor, acknowledged_max} {}
    asio::steady_timer timer;
    bool over = false;
    bool stored = false;
};

}  // namespace

Result<std::unique_ptr<JobPublisher>> JobPublisher::open(const KafkaSettings& settings,
                                                         asio::any_io_executor executor) {
    auto kafka = kafka::Producer::open(settings);
    if (!kafka) return kafka.error();
    return std::unique_ptr<JobPublisher>{
        new JobPublisher{settings, std::move(executor), std::move(kafka.value())}};
}

JobPublisher::JobPublisher(const KafkaSettings& settings, asio::any_io_executor executor,
                           std::unique_ptr<kafka::Producer> kafka)
    : settings_{settings},
      executor_{std::move(executor)},
      topic_{kafka::topics_of(settings).jobs},
      kafka_{std::move(kafka)} {}

void JobPublisher::mend() {
    if (!kafka_->is_fatal()) return;
    auto fresh = kafka::Producer::open(settings_);
    if (!fresh) {
        spdlog::error("{}", describe(fresh.error()));
        return;
    }
    spdlog::warn("the API's Kafka client had a fatal error and was replaced");
    kafka_ = std::move(fresh.value());
}

asio::awaitable<bool> JobPublisher::publish(std::string job, std::string body) {
    mend();
    auto wait = std::make_shared<Wait>(executor_);
    const auto queued = kafka_->publish({topic_, job, body, {}},
                                        [wait, home = executor_](const Result<void>& result) {
                                            if (!result)
                                                spdlog::warn("{}", describe(result.error()));
                                            asio::post(home, [wait, stored = result.has_value()] {
                                                wait->over = true;
                                                wait->stored = stored;
                                                wait->timer.cancel();
                                            });
                                        });
    if (!queued) {
        spdlog::warn("{}", describe(queued.error()));
        co_return false;
    }
    if (!wait->over) co_await wait->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return wait->stored;
}

}  // namespace fanfare::api
