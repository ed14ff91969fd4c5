#include "worker/intake/dead_letters.hpp"

#include "core/async/task_group.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <optional>

namespace fanfare {

namespace asio = boost::asio;

asio::awaitable<Result<void>> KafkaDeadLetters::publish(const Letter& letter) {
    auto home = co_await asio::this_coro::executor;
    Signal told{home};
    std::optional<Result<void>> published;
    // The callback comes on the producer's thread; what it touches lives in this frame until
    // it has come.
    auto queued = producer_.publish(
        {topic_, letter.key, letter.value, letter.headers}, [&, home](Result<void> result) {
            asio::post(home, [&published, &told, result = std::move(result)]() mutable {
                published = std::move(result);
                told.notify();
            });
        });
    if (!queued) co_return queued.error();
    while (!published) co_await told.wait();
    co_return std::move(*published);
}

}  // namespace fanfare
