#include "worker/send/known_jobs.hpp"

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::size_t jobs_max = 256;
constexpr std::size_t bytes_max = 8 << 20;  // As written; they take some more.
using Context = std::shared_ptr<const JobContext>;

}  // namespace

asio::awaitable<Result<Context>> KnownJobs::find(const std::string& job) {
    const auto known = contexts_.find(job);
    if (known != contexts_.end()) co_return known->second;
    auto loaded = co_await store_.load(job);
    if (!loaded) co_return loaded.error();
    auto& context = loaded.value();
    bytes_ += context->bytes;
    if (contexts_.size() >= jobs_max || bytes_ > bytes_max) {
        contexts_.clear();
        bytes_ = context->bytes;
    }
    contexts_.emplace(job, context);
    co_return context;
}

}  // namespace fanfare
