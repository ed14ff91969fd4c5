#include "core/kafka/producer.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <condition_variable>
#include <mutex>
#include <optional>

namespace fanfare::kafka {
namespace {

constexpr std::chrono::milliseconds look_up_max{5'000};

}  // namespace

void Producer::on_delivery(rd_kafka_t* client, const rd_kafka_message_t* message, void* self) {
    auto* const producer = static_cast<Producer*>(self);
    if (message->err == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_fatal_error(client, nullptr, 0) != 0) {
        producer->fatal_ = true;
    }
    const std::unique_ptr<Published> published{static_cast<Published*>(message->_private)};
    if (!published) return;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        (*published)({});
    } else {
        (*published)(fail(Errc::kafka_unavailable,
                          fmt::format("publish: {}", rd_kafka_err2str(message->err))));
    }
}

Result<std::unique_ptr<Producer>> Producer::open(const KafkaSettings& settings,
                                                 const std::vector<std::string>& topics) {
    auto conf = make_conf(settings, {{"enable.idempotence", "true"},
                                     // With more, a request that is refused and followed by one
                                     // that is taken counts as taken, too: its records are lost.
                                     {"max.in.flight.requests.per.connection", "1"},
                                     {"linger.ms", "1"},
                                     {"queue.buffering.max.kbytes", "65536"},
                                     {"delivery.timeout.ms", "300000"}});
    if (!conf) return conf.error();
    std::unique_ptr<Producer> producer{new Producer};
    rd_kafka_conf_set_opaque(conf.value().get(), producer.get());
    rd_kafka_conf_set_dr_msg_cb(conf.value().get(), on_delivery);
    auto client = kafka::open(RD_KAFKA_PRODUCER, std::move(conf.value()));
    if (!client) return client.error();
    producer->client_ = std::move(client.value());
    producer->look_up(topics);
    producer->poller_ = std::thread{[self = producer.get()] {
        while (!self->stopping_) rd_kafka_poll(self->client_.get(), 100);
    }};
    return producer;
}

void Producer::look_up(const std::vector<std::string>& topics) {
    if (topics.empty()) return;
    for (const auto& name : topics) {
        topics_.emplace_back(rd_kafka_topic_new(client_.get(), name.c_str(), nullptr));
    }
    static_cast<void>(reaches_broker(look_up_max));
}

bool Producer::reaches_broker(std::chrono::milliseconds timeout) const {
    const rd_kafka_metadata_t* found = nullptr;
    const auto error =
        rd_kafka_metadata(client_.get(), 0, nullptr, &found, static_cast<int>(timeout.count()));
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_metadata_destroy(found);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR;
}

Producer::~Producer() {
    if (client_) rd_kafka_flush(client_.get(), 10'000);
    stopping_ = true;
    if (poller_.joinable()) poller_.join();
}

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
    // The record is copied; the headers and the callback are taken over on success only.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"  // Inside librdkafka's macros.
    const auto error = rd_kafka_producev(
        client_.get(), RD_KAFKA_V_TOPIC(topic.c_str()),
        RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(record.value.data()), record.value.size()),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_OPAQUE(callback.get()), RD_KAFKA_V_END);
#pragma GCC diagnostic pop
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (headers != nullptr) rd_kafka_headers_destroy(headers);
        if (error == RD_KAFKA_RESP_ERR__FATAL) fatal_ = true;
        return fail(Errc::kafka_unavailable,
                    fmt::format("queue for {}: {}", topic, rd_kafka_err2str(error)));
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
