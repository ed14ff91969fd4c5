#include "core/kafka/topic_keeper.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace fanfare::kafka {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds answer_max{1'000};
constexpr milliseconds wait_first{200};
constexpr milliseconds wait_max{30'000};
// After trouble the looks are close together: topics that are lost again at once, and made again
// by somebody else, would be missed between two of them, and with them what is new in their place.
constexpr std::uint32_t close_looks = 50;
constexpr std::uint32_t well_enough = close_looks + 6;  // Looks after which trouble is a new one.

}  // namespace

Result<std::unique_ptr<TopicKeeper>> TopicKeeper::open(const KafkaSettings& settings) {
    auto conf = make_conf(settings, {});
    if (!conf) return conf.error();
    // A consumer: a producer's question would have some brokers create what it asks for.
    auto client = kafka::open(RD_KAFKA_CONSUMER, std::move(conf.value()));
    if (!client) return client.error();
    std::unique_ptr<TopicKeeper> keeper{new TopicKeeper{settings}};
    keeper->client_ = std::move(client.value());
    keeper->topics_ = topics_named(keeper->client_.get(), list_names(list_topics(settings)));
    keeper->thread_ = std::thread{[self = keeper.get()] { self->run(); }};
    return keeper;
}

TopicKeeper::~TopicKeeper() {
    waker_.stop();
    if (thread_.joinable()) thread_.join();
}

void TopicKeeper::missed() {
    if (!missed_.exchange(true)) waker_.notify();
}

std::string TopicKeeper::trouble() const {
    const std::lock_guard guard{mutex_};
    return trouble_;
}

void TopicKeeper::set_trouble(std::string trouble) {
    const std::lock_guard guard{mutex_};
    trouble_ = std::move(trouble);
}

void TopicKeeper::run() {
    while (!waker_.stopped()) waker_.wait(look());
}

/// Returns how long there is nothing to do, unless somebody misses a topic.
milliseconds TopicKeeper::look() {
    const auto missing = missing_topics(client_.get(), topics_, answer_max);
    if (!missing) {
        missing_since_.reset();
        return answer_max;  // Whether the broker answers is for others to say.
    }
    const auto& [cluster, names] = missing.value();
    if (!cluster.empty()) {
        if (!cluster_.empty() && cluster_ != cluster) is_other_ = true;
        cluster_ = cluster;
    }
    if (!names.empty()) {
        lost_ = true;
        well_ = 0;
        set_trouble("topics are missing in Kafka; they are being made again");
        const auto now = system_clock().steady_now();
        const bool has_others = std::any_of(names.begin(), names.end(), [this](const auto& name) {
            return std::find(missing_.begin(), missing_.end(), name) == missing_.end();
        });
        if (!missing_since_ || has_others) missing_since_ = now;
        missing_ = names;
        const auto make_at = *missing_since_ + wait_before_making();
        if (now < make_at) return std::chrono::ceil<milliseconds>(make_at - now);
        make(names);
        return next_wait();
    }
    missing_since_.reset();
    set_trouble("");
    if (!lost_ && !is_other_ && !missed_) {
        if (++well_ == well_enough) tries_ = 0;
        return well_ < close_looks ? wait_first : look_interval;
    }
    const auto now = system_clock().steady_now();
    if (now < renew_at_) return std::chrono::ceil<milliseconds>(renew_at_ - now);
    renew();
    renew_at_ = now + next_wait();
    return wait_first;
}

void TopicKeeper::make(const std::vector<std::string>& names) {
    spdlog::warn("the broker has no {}: made again", fmt::join(names, ", "));
    const auto made = make_topics(client_.get(), settings_, names);
    if (!made) spdlog::warn("{}", describe(made.error()));
}

void TopicKeeper::renew() {
    well_ = 0;
    spdlog::warn("Kafka's {}: clients open anew", is_other_ ? "broker is another, or was wiped"
                                                            : "topics were missed and are there");
    missed_ = false;
    if (is_other_) ++brokers_;
    ++renewals_;
    lost_ = false;
    is_other_ = false;
}

milliseconds TopicKeeper::next_wait() {
    const auto most = std::min(wait_max, wait_first * (1U << std::min(tries_, 8U)));
    ++tries_;
    std::uniform_int_distribution<milliseconds::rep> spread{most.count() / 2, most.count()};
    return milliseconds{spread(random_)};
}

}  // namespace fanfare::kafka
