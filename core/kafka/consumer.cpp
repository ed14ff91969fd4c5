// Records in, offsets out: at least once, and never past what is not settled.
//
// The library commits what was read. A worker that dies then loses what it had read and not
// done; and our records end in any order, a chunk after minutes, the next one at once. So
// nothing is committed by itself: each partition has a watermark (watermark.hpp), finish() may
// come in any order and from any thread, and once a second the offset before the first
// unfinished record is committed. What is read twice because of that is found settled in the
// ledger: Kafka carries the work and is not believed. That is why rebalances need no care here:
// what is under way goes on, leases and epochs keep it right, whoever reads it again.
//
// What would break it:
//
// - A slow ledger. Records would pile up in memory; a topic of which 8 MiB are delivered and not
//   finished is paused, and only what we paused is resumed, for resuming a running partition
//   fetches its prefetched records again.
// - A topic that was deleted and made again. Its offsets begin anew, and old ones would be
//   committed beyond its end: each life of a partition is a generation, a finish() of another
//   one counts for nothing, and while the broker calls a topic unknown nothing is committed.
// - More workers than partitions. By range each topic's partitions would go to the same few
//   members; they go round, over all topics.
// - A broker that does not answer while we close. Closing stands beside the caller with a limit
//   of its own (close_beside()); a client that is left behind ends with the process.
#include "core/kafka/consumer.hpp"

#include "core/clock/clock.hpp"
#include "core/kafka/headers.hpp"
#include "core/kafka/topic_keeper.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace fanfare::kafka {
namespace {

constexpr int poll_ms = 500;  // What there is to do meanwhile wakes it.
constexpr std::chrono::milliseconds commit_interval{1'000};
constexpr std::size_t record_bytes = 512;  // Of the structures around its bytes.

constexpr std::chrono::milliseconds consumer_close_max{10'000};

}  // namespace

Consumer::Consumer(KafkaSettings settings, std::vector<std::string> topics, Deliver deliver,
                   TopicKeeper* keeper)
    : settings_{std::move(settings)},
      topics_{std::move(topics)},
      deliver_{std::move(deliver)},
      keeper_{keeper},
      held_{topics_.size(), held_bytes_max},
      lags_(topics_.size()),
      pause_wanted_(topics_.size()),
      pause_applied_(topics_.size()) {}

Result<std::unique_ptr<Consumer>> Consumer::open(const KafkaSettings& settings,
                                                 std::vector<std::string> topics, Deliver deliver,
                                                 TopicKeeper* keeper) {
    std::unique_ptr<Consumer> consumer{
        new Consumer{settings, std::move(topics), std::move(deliver), keeper}};
    if (keeper != nullptr) consumer->renewal_ = keeper->renewals();
    auto session = consumer->open_session();
    if (!session) return session.error();
    consumer->session_ = std::move(session.value());
    consumer->last_poll_ = system_clock().steady_now();
    consumer->poller_ = std::thread{[self = consumer.get()] { self->poll_loop(); }};
    return consumer;
}

Result<Conf> make_consumer_conf(const KafkaSettings& settings) {
    return make_conf(settings, {{"group.id", settings.group},
                                {"auto.offset.reset", "earliest"},
                                {"enable.auto.commit", "false"},
                                {"enable.auto.offset.store", "false"},
                                // All topics' partitions go round: by range each topic's would
                                // go to the same few. Range for members of earlier versions.
                                {"partition.assignment.strategy", "roundrobin,range"},
                                {"session.timeout.ms", "10000"},
                                {"heartbeat.interval.ms", "1000"},
                                {"max.poll.interval.ms", "60000"},
                                // An idle worker asks as often. A partition that was paused or
                                // is new waits it out, where nothing else comes, and so half of
                                // what an urgent job may take; a broker ends it where a topic is
                                // deleted. On the embedded one everybody waits it out.
                                {"fetch.wait.max.ms", settings.tells_at_once ? "250" : "100"},
                                {"fetch.error.backoff.ms", "100"},
                                {"queued.min.messages", "1000"},
                                {"queued.max.messages.kbytes", "1024"},
                                // One answer of a broker is in memory whole.
                                {"fetch.max.bytes", "8388608"},
                                {"topic.metadata.refresh.interval.ms", "10000"}});
}

Result<std::shared_ptr<Consumer::Session>> Consumer::open_session() {
    auto conf = make_consumer_conf(settings_);
    if (!conf) return conf.error();
    auto session = std::make_shared<Session>();
    session->owner = this;
    rd_kafka_conf_set_opaque(conf.value().get(), session.get());
    rd_kafka_conf_set_rebalance_cb(conf.value().get(), on_rebalance);
    rd_kafka_conf_set_error_cb(conf.value().get(), on_error);
    auto client = kafka::open(RD_KAFKA_CONSUMER, std::move(conf.value()));
    if (!client) return client.error();
    session->client = std::move(client.value());
    rd_kafka_poll_set_consumer(session->client.get());
    session->queue.reset(rd_kafka_queue_get_consumer(session->client.get()));

    const TopicList list{rd_kafka_topic_partition_list_new(static_cast<int>(topics_.size()))};
    for (const auto& topic : topics_) {
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    }
    const auto error = rd_kafka_subscribe(session->client.get(), list.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fail(Errc::kafka_unusable, fmt::format("subscribe: {}", rd_kafka_err2str(error)));
    }
    return session;
}

Consumer::~Consumer() {
    stop();
    if (!session_) return;
    session_->owner = nullptr;
    const auto finished = std::make_shared<TopicList>(committable());
    close_beside(
        [session = std::move(session_), finished]() mutable {
            close(*session, **finished);
            session.reset();
        },
        consumer_close_max);
}

void Consumer::leave(std::chrono::milliseconds most) {
    close_beside(
        [this] {
            stop();
            session_->owner = nullptr;
            const auto finished = committable();
            close(*session_, *finished);
        },
        most);
}

void Consumer::close(Session& session, const rd_kafka_topic_partition_list_t& finished) {
    if (finished.cnt > 0) rd_kafka_commit(session.client.get(), &finished, 0);
    rd_kafka_consumer_close(session.client.get());
}

void Consumer::stop() {
    stopping_ = true;
    {
        const std::lock_guard guard{mutex_};
        wake();
    }
    if (poller_.joinable()) poller_.join();
}

void Consumer::wake() {
    if (session_) rd_kafka_queue_yield(session_->queue.get());
}

void Consumer::forget_partitions() {
    const std::lock_guard guard{mutex_};
    partitions_.clear();
    std::fill(pause_applied_.begin(), pause_applied_.end(), false);
}

void Consumer::on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t error,
                            rd_kafka_topic_partition_list_t* partitions, void* session) {
    Consumer* const consumer = static_cast<Session*>(session)->owner.load();
    const bool assigns = error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (consumer == nullptr) {
        rd_kafka_assign(client, nullptr);
        return;
    }
    // What is in work goes on: leases and epochs keep it right, whoever reads it again.
    if (!assigns && rd_kafka_assignment_lost(client) == 0) consumer->commit(true);
    consumer->forget_partitions();
    rd_kafka_assign(client, assigns ? partitions : nullptr);
    consumer->assigned_ = assigns && partitions->cnt > 0;
    consumer->membership_.set(assigns);
}

void Consumer::on_error(rd_kafka_t*, int error, const char* reason, void* session) {
    const auto code = static_cast<rd_kafka_resp_err_t>(error);
    // The library logs lost connections itself, and the keeper says once what is unknown.
    const bool is_said = code == RD_KAFKA_RESP_ERR__TRANSPORT || says_unknown(code);
    if (!is_said) spdlog::warn("kafka consumer: {}", reason);
    Consumer* const consumer = static_cast<Session*>(session)->owner.load();
    if (consumer != nullptr) consumer->note(code);
}

/// What is missing may be back before the next look, and begin anew: its offsets are others then.
void Consumer::note(rd_kafka_resp_err_t error) {
    if (keeper_ == nullptr || !says_unknown(error)) return;
    distrusted_ = true;
    keeper_->missed();
}

void Consumer::open_anew() {
    const auto renewal = keeper_->renewals();
    auto fresh = open_session();
    if (!fresh) {
        spdlog::error("{}", describe(fresh.error()));
        return;
    }
    renewal_ = renewal;
    forget_partitions();
    assigned_ = false;
    membership_.set(false);
    distrusted_ = false;
    session_->owner = nullptr;
    {
        const std::lock_guard guard{mutex_};
        std::swap(session_, fresh.value());
    }
    close_beside(
        [old = std::move(fresh.value())]() mutable {
            rd_kafka_consumer_close(old->client.get());
            old.reset();
        },
        std::chrono::milliseconds{0});
}

void Consumer::poll_loop() {
    auto next_commit = system_clock().steady_now() + commit_interval;
    while (!stopping_) {
        if (keeper_ != nullptr && keeper_->renewals() != renewal_) open_anew();
        const Record message{rd_kafka_consumer_poll(session_->client.get(), poll_ms)};
        const auto now = system_clock().steady_now();
        last_poll_ = now;
        if (message) take(*message);
        apply_pauses();
        if (now >= next_commit) {
            commit(false);
            measure_lags();
            next_commit = now + commit_interval;
        }
    }
}

namespace {

/// Copies the record's headers; those without a value are left out.
std::vector<std::pair<std::string, std::string>> copy_headers(const rd_kafka_message_t& message) {
    std::vector<std::pair<std::string, std::string>> copied;
    for_each_header(message, [&copied](std::string_view name, const auto& value) {
        if (value) copied.emplace_back(name, *value);
    });
    return copied;
}

}  // namespace

void Consumer::take(const rd_kafka_message_t& message) {
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (message.err == RD_KAFKA_RESP_ERR__FATAL) fatal_ = true;
        note(message.err);
        if (message.err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            spdlog::warn("kafka consumer: {}", rd_kafka_err2str(message.err));
        }
        return;
    }
    Received record;
    record.topic = find_index(rd_kafka_topic_name(message.rkt));
    record.partition = message.partition;
    record.offset = message.offset;
    rd_kafka_timestamp_type_t kind{};
    record.timestamp_ms = rd_kafka_message_timestamp(&message, &kind);
    if (message.key != nullptr) {
        record.key.assign(static_cast<const char*>(message.key), message.key_len);
    }
    if (message.payload != nullptr) {
        record.value.assign(static_cast<const char*>(message.payload), message.len);
    }
    if (record.topic == 0) record.headers = copy_headers(message);
    record.bytes = record_bytes + record.key.size() + record.value.size();
    for (const auto& [name, value] : record.headers) record.bytes += name.size() + value.size();
    {
        const std::lock_guard guard{mutex_};
        auto& partition = partitions_[{record.topic, record.partition}];
        // Not further than before: the log began anew, and its offsets are others.
        if (record.offset <= partition.last) partition = {};
        if (partition.generation == 0) partition.generation = ++generation_;
        partition.last = record.offset;
        partition.watermark.begin(record.offset);
        record.generation = partition.generation;
        held_.take(record.topic, record.bytes);
    }
    deliver_(std::move(record));
}

void Consumer::finish(const Received& record) {
    const std::lock_guard guard{mutex_};
    const bool was_full = held_.is_full(record.topic);
    held_.give_back(record.topic, record.bytes);
    if (was_full && !held_.is_full(record.topic)) wake();
    const auto found = partitions_.find({record.topic, record.partition});
    if (found == partitions_.end() || record.generation != found->second.generation) return;
    found->second.watermark.finish(record.offset);
}

void Consumer::set_paused(std::size_t topic, bool paused) {
    const std::lock_guard guard{mutex_};
    if (pause_wanted_[topic] == paused) return;
    pause_wanted_[topic] = paused;
    wake();
}

void Consumer::apply_pauses() {
    std::vector<bool> wanted;
    {
        const std::lock_guard guard{mutex_};
        wanted = pause_wanted_;
        for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = wanted[i] || held_.is_full(i);
    }
    if (wanted == pause_applied_ || !assigned_) return;
    rd_kafka_topic_partition_list_t* raw = nullptr;
    if (rd_kafka_assignment(session_->client.get(), &raw) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    const TopicList assignment{raw};
    for (std::size_t topic = 0; topic < topics_.size(); ++topic) {
        if (wanted[topic] == pause_applied_[topic]) continue;
        const TopicList list{rd_kafka_topic_partition_list_new(1)};
        for (int i = 0; i < assignment->cnt; ++i) {
            const auto& entry = assignment->elems[i];
            if (topics_[topic] != entry.topic) continue;
            rd_kafka_topic_partition_list_add(list.get(), entry.topic, entry.partition);
        }
        // Only what we paused is resumed: resuming a running partition fetches old data again.
        if (wanted[topic]) {
            rd_kafka_pause_partitions(session_->client.get(), list.get());
        } else {
            rd_kafka_resume_partitions(session_->client.get(), list.get());
        }
        pause_applied_[topic] = wanted[topic];
    }
}

TopicList Consumer::committable() {
    TopicList list{rd_kafka_topic_partition_list_new(8)};
    const std::lock_guard guard{mutex_};
    for (auto& [key, partition] : partitions_) {
        const auto offset = partition.watermark.committable();
        if (distrusted_ || !offset || *offset <= partition.committed) continue;
        partition.committed = *offset;
        rd_kafka_topic_partition_list_add(list.get(), topics_[key.first].c_str(), key.second)
            ->offset = *offset;
    }
    return list;
}

/// Of what the client knows anyway: nobody is asked.
void Consumer::measure_lags() {
    const std::lock_guard guard{mutex_};
    std::fill(lags_.begin(), lags_.end(), 0);
    for (const auto& [key, partition] : partitions_) {
        std::int64_t low = 0;
        std::int64_t high = 0;
        const auto known = rd_kafka_get_watermark_offsets(
            session_->client.get(), topics_[key.first].c_str(), key.second, &low, &high);
        if (known != RD_KAFKA_RESP_ERR_NO_ERROR || high < 0) continue;
        const auto next = partition.watermark.committable().value_or(partition.last);
        lags_[key.first] += std::max<std::int64_t>(high - next, 0);
    }
}

Lags Consumer::lags() const {
    Lags lags;
    const std::lock_guard guard{mutex_};
    for (std::size_t i = 0; i < topics_.size(); ++i) lags[topics_[i]] = lags_[i];
    return lags;
}

void Consumer::commit(bool wait) {
    const auto list = committable();
    if (list->cnt == 0) return;
    const auto error = rd_kafka_commit(session_->client.get(), list.get(), wait ? 0 : 1);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        // Not a fault: the records are read again and found settled.
        spdlog::info("kafka commit: {}", rd_kafka_err2str(error));
    }
}

std::size_t Consumer::find_index(const char* topic) const {
    const auto found = std::find(topics_.begin(), topics_.end(), topic);
    ensure(found != topics_.end(), "records come from topics we subscribed to");
    return static_cast<std::size_t>(found - topics_.begin());
}

}  // namespace fanfare::kafka
