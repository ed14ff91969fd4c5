#include "core/kafka/client.hpp"

#include "core/clock/clock.hpp"
#include "core/kafka/words.hpp"

#include <fmt/format.h>
#include <librdkafka/rdkafka_mock.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <fstream>
#include <memory>
#include <mutex>
#include <span>
#include <thread>

namespace fanfare::kafka {
namespace {

void on_log(const rd_kafka_t*, int level, const char* facility, const char* text) {
    const auto severity = level <= 3   ? spdlog::level::err
                          : level <= 5 ? spdlog::level::warn
                                       : spdlog::level::debug;
    if (spdlog::should_log(severity))
        spdlog::log(severity, "kafka {}: {}", facility, own_words(text));
}

Result<void> set(rd_kafka_conf_t* conf, const std::string& key, const std::string& value) {
    ErrorText text{};
    if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), text.data(), text.size()) !=
        RD_KAFKA_CONF_OK) {
        return fail(Errc::config_invalid,
                    fmt::format("set kafka.client.{}: {}", key, own_words(text.data())));
    }
    return {};
}

// Shared with the thread, which may outlive whoever waits.
struct Closing {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_over = false;
};
std::atomic<std::size_t> closings{0};

// From 2.4 on librdkafka keeps its topics by their ids, too. Up to 2.8 it frees one that was
// deleted and made again and goes on to use it, unless the client had looked while it was not
// there. So clients look often, what they have not heard again is forgotten soon, and whoever makes
// a topic first waits until all have seen that it is gone.
constexpr int ids_since = 0x02040000;
constexpr int ids_mended = 0x02090000;
constexpr const char* look_often_ms = "500";
constexpr const char* forget_after_ms = "1500";
constexpr std::chrono::milliseconds all_looked{2'000};

bool confuses_topics() {
    const int version = rd_kafka_version();
    return version >= ids_since && version < ids_mended;
}

constexpr std::chrono::milliseconds ask_max{15'000};
constexpr int look_again_ms = 100;
constexpr int looks_max = 50;
constexpr std::string_view embedded_cluster{"mockCluster"};  // So librdkafka's begin.

}  // namespace

Topics list_topics(const KafkaSettings& settings) {
    Topics topics;
    topics.jobs = settings.topic_prefix + ".jobs";
    topics.dead = settings.topic_prefix + ".dead";
    topics.receipts = settings.topic_prefix + ".receipts";
    for (const auto lane : lanes) {
        topics.chunks[static_cast<std::size_t>(lane)] =
            fmt::format("{}.chunks.{}", settings.topic_prefix, to_string(lane));
    }
    return topics;
}

Result<Conf> make_conf(const KafkaSettings& settings,
                       const std::vector<std::pair<std::string, std::string>>& extra) {
    Conf conf{rd_kafka_conf_new()};
    rd_kafka_conf_set_log_cb(conf.get(), on_log);
    std::vector<std::pair<std::string, std::string>> all{
        {"bootstrap.servers", settings.brokers},
        {"client.id", "fanfare"},
        {"socket.nagle.disable", "true"},  // Left on by default before 2.10: 40 ms per commit.
        {"socket.keepalive.enable", "true"},
        {"broker.address.family", "any"},
        {"message.max.bytes", std::to_string(record_bytes_max)},
        {"receive.message.max.bytes", "100000000"},
    };
    all.insert(all.end(), extra.begin(), extra.end());
    if (confuses_topics()) {
        all.emplace_back("topic.metadata.refresh.interval.ms", look_often_ms);
        all.emplace_back("metadata.max.age.ms", forget_after_ms);
    }
    all.insert(all.end(), settings.client.begin(), settings.client.end());
    for (const auto& [key, value] : all) {
        if (auto done = set(conf.get(), key, value); !done) return done.error();
    }
    return conf;
}

Result<Client> open(rd_kafka_type_t type, Conf conf) {
    ErrorText text{};
    rd_kafka_t* const client = rd_kafka_new(type, conf.get(), text.data(), text.size());
    if (client == nullptr) {
        return fail(Errc::kafka_unusable, "open kafka client: " + own_words(text.data()));
    }
    std::ignore = conf.release();
    return Client{client};
}

std::vector<std::string> list_names(const Topics& topics) {
    std::vector<std::string> names{topics.jobs, topics.dead, topics.receipts};
    names.insert(names.end(), topics.chunks.begin(), topics.chunks.end());
    return names;
}

bool says_unknown(rd_kafka_resp_err_t error) noexcept {
    return error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
           error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

std::chrono::milliseconds wait_before_making() noexcept {
    return confuses_topics() ? all_looked : std::chrono::milliseconds{0};
}

void close_beside(std::function<void()> close, std::chrono::milliseconds most) {
    const auto closing = std::make_shared<Closing>();
    ++closings;
    std::thread{[closing, close = std::move(close)]() mutable {
        close();
        close = nullptr;
        --closings;
        const std::lock_guard guard{closing->mutex};
        closing->is_over = true;
        closing->changed.notify_all();
    }}.detach();
    std::unique_lock lock{closing->mutex};
    closing->changed.wait_for(lock, most, [&closing] { return closing->is_over; });
}

std::size_t still_closing() noexcept { return closings.load(); }

std::vector<Topic> topics_named(rd_kafka_t* client, const std::vector<std::string>& names) {
    std::vector<Topic> topics;
    for (const auto& name : names) {
        topics.emplace_back(rd_kafka_topic_new(client, name.c_str(), nullptr));
    }
    return topics;
}

Result<Missing> missing_topics(rd_kafka_t* client, const std::vector<Topic>& known,
                               std::chrono::milliseconds most) {
    const rd_kafka_metadata_t* raw = nullptr;
    const auto error = rd_kafka_metadata(client, 0, nullptr, &raw, static_cast<int>(most.count()));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fail(Errc::kafka_unavailable,
                    fmt::format("ask the broker for its topics: {}", rd_kafka_err2str(error)));
    }
    const Handle<const rd_kafka_metadata_t, rd_kafka_metadata_destroy> metadata{raw};
    const std::span found{metadata->topics, static_cast<std::size_t>(metadata->topic_cnt)};
    Missing missing;
    for (const auto& topic : known) {
        const std::string name = rd_kafka_topic_name(topic.get());
        const bool there = std::any_of(found.begin(), found.end(), [&name](const auto& entry) {
            return name == entry.topic && !says_unknown(entry.err);
        });
        if (!there) missing.topics.push_back(name);
    }
    if (char* const cluster = rd_kafka_clusterid(client, 0); cluster != nullptr) {
        missing.cluster = cluster;
        rd_kafka_mem_free(client, cluster);
    }
    return missing;
}

Result<void> make_topics(rd_kafka_t* client, const KafkaSettings& settings,
                         const std::vector<std::string>& names) {
    ErrorText text{};
    std::vector<Handle<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>> topics;
    std::vector<rd_kafka_NewTopic_t*> raw;
    for (const auto& name : names) {
        topics.emplace_back(
            rd_kafka_NewTopic_new(name.c_str(), settings.partitions, -1, text.data(), text.size()));
        if (!topics.back()) return fail(Errc::config_invalid, "describe topic " + name);
        rd_kafka_NewTopic_set_config(topics.back().get(), "max.message.bytes",
                                     std::to_string(record_bytes_max).c_str());
        // A life time counts from the broker's clock on, whatever a publisher's says.
        rd_kafka_NewTopic_set_config(topics.back().get(), "message.timestamp.type",
                                     "LogAppendTime");
        raw.push_back(topics.back().get());
    }
    const Queue queue{rd_kafka_queue_new(client)};
    const Handle<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy> options{
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS)};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), 15'000, text.data(), text.size());
    rd_kafka_CreateTopics(client, raw.data(), raw.size(), options.get(), queue.get());
    const Event event{rd_kafka_queue_poll(queue.get(), 20'000)};
    if (!event || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fail(Errc::kafka_unavailable,
                    fmt::format("create topics at {}: {}", settings.brokers,
                                event ? rd_kafka_event_error_string(event.get()) : "no answer"));
    }
    std::size_t count = 0;
    const auto** results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event.get()), &count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto error = rd_kafka_topic_result_error(results[i]);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR &&
            error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
            return fail(Errc::kafka_unavailable,
                        fmt::format("create topic {}: {}", rd_kafka_topic_result_name(results[i]),
                                    rd_kafka_err2str(error)));
        }
    }
    return {};
}

namespace {

/// A broker takes note of what it has made a little later than it says so: whoever asks at once
/// would hear that nothing is there. What it still does not tell of in the end, others wait for.
void await_topics(rd_kafka_t* client, const std::vector<Topic>& known) {
    for (int look = 0; look < looks_max; ++look) {
        const auto missing = missing_topics(client, known, ask_max);
        if (missing && missing.value().topics.empty()) return;
        rd_kafka_poll(client, look_again_ms);
    }
}

/// As create_topics(); what the cluster calls itself.
Result<std::string> open_topics(const KafkaSettings& settings) {
    auto conf = make_conf(settings, {});
    if (!conf) return conf.error();
    // A consumer: a producer's question would have some brokers create what it asks for.
    auto client = open(RD_KAFKA_CONSUMER, std::move(conf.value()));
    if (!client) return client.error();
    const auto known = topics_named(client.value().get(), list_names(list_topics(settings)));
    const auto missing = missing_topics(client.value().get(), known, ask_max);
    if (!missing) {
        auto failure = missing.error();
        failure.doing += fmt::format(" (kafka.brokers: {})", settings.brokers);
        return failure;
    }
    auto cluster = missing.value().cluster;
    if (missing.value().topics.empty()) return cluster;
    const auto end = system_clock().steady_now() + wait_before_making();
    while (system_clock().steady_now() < end) rd_kafka_poll(client.value().get(), look_again_ms);
    auto made = make_topics(client.value().get(), settings, missing.value().topics);
    if (!made) return made.error();
    await_topics(client.value().get(), known);
    return cluster;
}

}  // namespace

Result<void> create_topics(const KafkaSettings& settings) {
    const auto opened = open_topics(settings);
    return opened ? Result<void>{} : Result<void>{opened.error()};
}

Result<EmbeddedBroker> EmbeddedBroker::start(const KafkaSettings& settings) {
    Conf conf{rd_kafka_conf_new()};
    rd_kafka_conf_set_log_cb(conf.get(), on_log);
    if (auto done = set(conf.get(), "test.mock.num.brokers", "1"); !done) return done.error();
    auto host = open(RD_KAFKA_PRODUCER, std::move(conf));
    if (!host) return host.error();
    rd_kafka_mock_cluster_t* const cluster = rd_kafka_handle_mock_cluster(host.value().get());
    if (cluster == nullptr) return fail(Errc::kafka_unusable, "start the embedded broker");
    const auto names = list_topics(settings);
    rd_kafka_mock_topic_create(cluster, names.jobs.c_str(), settings.partitions, 1);
    rd_kafka_mock_topic_create(cluster, names.receipts.c_str(), settings.partitions, 1);
    rd_kafka_mock_topic_create(cluster, names.dead.c_str(), 1, 1);
    for (const auto& name : names.chunks) {
        rd_kafka_mock_topic_create(cluster, name.c_str(), settings.partitions, 1);
    }
    std::string address = rd_kafka_mock_cluster_bootstraps(cluster);
    if (!settings.embedded_address_file.empty()) {
        const auto draft = settings.embedded_address_file.string() + ".new";
        std::ofstream{draft} << address << '\n';
        std::filesystem::rename(draft, settings.embedded_address_file);
    }
    spdlog::warn("embedded broker at {}: for trying out only, nothing on it is durable", address);
    return EmbeddedBroker{std::move(host.value()), std::move(address)};
}

Result<std::optional<EmbeddedBroker>> open_broker(KafkaSettings& settings) {
    using Opened = std::optional<EmbeddedBroker>;
    if (settings.brokers != "embedded") {
        const auto cluster = open_topics(settings);
        if (!cluster) return cluster.error();
        // The embedded one of another process is spoken to by its address.
        settings.tells_at_once =
            !cluster.value().empty() && !cluster.value().starts_with(embedded_cluster);
        return Opened{};
    }
    auto broker = EmbeddedBroker::start(settings);
    if (!broker) return broker.error();
    settings.brokers = broker.value().address();
    return Opened{std::move(broker.value())};
}

}  // namespace fanfare::kafka
