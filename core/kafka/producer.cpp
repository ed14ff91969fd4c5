#include "core/kafka/producer.hpp"

#include "core/kafka/topic_keeper.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace fanfare::kafka {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds look_up_max{5'000};
constexpr int flush_ms = 10'000;
constexpr milliseconds producer_close_max{3'000};
constexpr milliseconds replace_wait_first{1'000};
constexpr milliseconds replace_wait_max{30'000};
constexpr milliseconds report_max{5'000};
constexpr int report_poll_ms = 500;  // A report ends it, and so does the destructor.
constexpr int everything = RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT;

/// Asks after the topics that the client knows.
bool answers(rd_kafka_t* client, milliseconds most) {
    const rd_kafka_metadata_t* found = nullptr;
    const auto error =
        rd_kafka_metadata(client, 0, nullptr, &found, static_cast<int>(most.count()));
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_metadata_destroy(found);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/// Why a record does not reach the broker. One that is too large would not do so later either.
Failure not_taken(const std::string& doing, rd_kafka_resp_err_t error) {
    const bool too_large = error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
                           error == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE;
    return fail(too_large ? Errc::kafka_too_large : Errc::kafka_unavailable,
                fmt::format("{}: {}", doing, rd_kafka_err2str(error)));
}

}  // namespace

void Producer::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
    static_cast<Producer*>(self)->note(message->err);
    const std::unique_ptr<Published> published{static_cast<Published*>(message->_private)};
    if (!published) return;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        (*published)({});
    } else {
        (*published)(not_taken("publish", message->err));
    }
}

void Producer::note(rd_kafka_resp_err_t error) {
    if (keeper_ != nullptr && says_unknown(error)) keeper_->missed();
}

Result<std::unique_ptr<Producer>> Producer::open(const KafkaSettings& settings,
                                                 const std::vector<std::string>& topics,
                                                 TopicKeeper* keeper) {
    std::unique_ptr<Producer> producer{new Producer{settings, topics, keeper}};
    if (keeper != nullptr) producer->broker_ = keeper->brokers();
    auto line = producer->open_line();
    if (!line) return line.error();
    producer->line_ = std::move(line.value());
    producer->poller_ = std::thread{[self = producer.get()] { self->poll_loop(); }};
    return producer;
}

Result<std::shared_ptr<Producer::Line>> Producer::open_line() {
    auto conf = make_conf(settings_, {{"enable.idempotence", "true"},
                                      // With more, a request that is refused and followed by one
                                      // that is taken counts as taken, too: its records are lost.
                                      {"max.in.flight.requests.per.connection", "1"},
                                      {"linger.ms", "1"},
                                      // A broker measures what comes together: a record that it
                                      // calls too large must not stand for its neighbours.
                                      {"batch.size", "65536"},
                                      {"queue.buffering.max.kbytes", "65536"},
                                      {"delivery.timeout.ms", "300000"}});
    if (!conf) return conf.error();
    rd_kafka_conf_set_opaque(conf.value().get(), this);
    rd_kafka_conf_set_dr_msg_cb(conf.value().get(), on_delivery);
    auto client = kafka::open(RD_KAFKA_PRODUCER, std::move(conf.value()));
    if (!client) return client.error();
    auto line = std::make_shared<Line>();
    line->client = std::move(client.value());
    line->queue.reset(rd_kafka_queue_get_main(line->client.get()));
    if (names_.empty()) return line;
    line->topics = topics_named(line->client.get(), names_);
    static_cast<void>(answers(line->client.get(), look_up_max));
    return line;
}

bool Producer::reaches_broker(milliseconds timeout) const {
    return answers(line()->client.get(), timeout);
}

std::shared_ptr<Producer::Line> Producer::line() const {
    const std::shared_lock guard{mutex_};
    return line_;
}

Producer::~Producer() {
    if (line_) rd_kafka_flush(line_->client.get(), flush_ms);
    stopping_ = true;
    // Of a client that was made anew just now the poll ends by itself, a little later.
    if (const auto now = line()) rd_kafka_queue_yield(now->queue.get());
    if (poller_.joinable()) poller_.join();
    if (!line_) return;
    close_beside([line = std::move(line_)]() mutable { line.reset(); }, producer_close_max);
}

void Producer::poll_loop() {
    while (!stopping_) {
        rd_kafka_poll(line_->client.get(), report_poll_ms);
        if (is_worn()) replace();
    }
}

bool Producer::is_worn() const {
    return rd_kafka_fatal_error(line_->client.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR ||
           (keeper_ != nullptr && keeper_->brokers() != broker_);
}

/// Ids make a second try of the same record harmless, so what the old client may have
/// delivered is reported as failed.
void Producer::replace() {
    if (system_clock().steady_now() < replace_at_) return;
    const auto wait =
        std::min(replace_wait_max, replace_wait_first * (1U << std::min(replaced_, 5U)));
    replace_at_ = system_clock().steady_now() + wait;
    ++replaced_;
    const auto broker = keeper_ == nullptr ? 0 : keeper_->brokers();
    auto fresh = open_line();
    if (!fresh) {
        spdlog::error("{}", describe(fresh.error()));
        return;
    }
    spdlog::warn("a Kafka client was replaced: {}",
                 broker == broker_ ? "it had a fatal error" : "the broker is another");
    {
        const std::lock_guard guard{mutex_};
        std::swap(line_, fresh.value());
    }
    broker_ = broker;
    auto old = std::move(fresh.value());
    rd_kafka_purge(old->client.get(), everything);
    const auto end = system_clock().steady_now() + report_max;
    while (rd_kafka_outq_len(old->client.get()) > 0 && system_clock().steady_now() < end) {
        rd_kafka_poll(old->client.get(), 100);
    }
    close_beside([old = std::move(old)]() mutable { old.reset(); }, milliseconds{0});
}

std::size_t Producer::waiting() const {
    return static_cast<std::size_t>(rd_kafka_outq_len(line()->client.get()));
}

void Producer::give_up() { rd_kafka_purge(line()->client.get(), everything); }

Result<void> Producer::publish(const Record& record, Published published) {
    rd_kafka_headers_t* headers = nullptr;
    if (!record.headers.empty()) {
        headers = rd_kafka_headers_new(record.headers.size());
        for (const auto& [name, value] : record.headers) {
            rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()),
                                value.data(), static_cast<ssize_t>(value.size()));
        }
    }
    auto callback = published ? std::make_unique<Published>(std::move(published)) : nullptr;
    const std::string topic{record.topic};
    const std::shared_lock guard{mutex_};
    // The record is copied; the headers and the callback are taken over on success only.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"  // Inside librdkafka's macros.
    const auto error = rd_kafka_producev(
        line_->client.get(), RD_KAFKA_V_TOPIC(topic.c_str()),
        RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(record.value.data()), record.value.size()),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_OPAQUE(callback.get()), RD_KAFKA_V_END);
#pragma GCC diagnostic pop
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (headers != nullptr) rd_kafka_headers_destroy(headers);
        note(error);
        return not_taken("queue for " + topic, error);
    }
    std::ignore = callback.release();
    return {};
}

Result<void> Producer::publish_and_wait(const Record& record, std::chrono::milliseconds timeout) {
    // Shared with the callback, which may come after we gave up.
    struct Wait {
        std::mutex mutex;
        std::condition_variable done;
        std::optional<Result<void>> result;
    };
    auto wait = std::make_shared<Wait>();
    auto queued = publish(record, [wait](Result<void> result) {
        const std::lock_guard guard{wait->mutex};
        wait->result = std::move(result);
        wait->done.notify_all();
    });
    if (!queued) return queued;
    std::unique_lock lock{wait->mutex};
    if (!wait->done.wait_for(lock, timeout, [&wait] { return wait->result.has_value(); })) {
        return fail(Errc::kafka_unavailable,
                    fmt::format("publish to {}: no acknowledgement within {} ms; it may still "
                                "arrive, publishing it again with the same id is harmless",
                                record.topic, timeout.count()));
    }
    return std::move(*wait->result);
}

}  // namespace fanfare::kafka
