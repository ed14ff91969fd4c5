#include "cli/dead_letters.hpp"

#include "core/clock/clock.hpp"
#include "core/crypto/digest.hpp"
#include "core/kafka/client.hpp"

#include <fmt/format.h>

#include <map>
#include <random>
#include <set>

namespace fanfare::cli {
namespace {

constexpr int timeout_ms = 10'000;
constexpr int patience = 3;  // Timeouts that reading to the end may take.
constexpr int poll_ms = 50;
using Metadata = Handle<const rd_kafka_metadata_t, rd_kafka_metadata_destroy>;
using TopicHandle = Handle<rd_kafka_topic_t, rd_kafka_topic_destroy>;

Stop kafka_stop(const std::string& doing, rd_kafka_resp_err_t error) {
    return stop_for(
        fail(Errc::kafka_unavailable, fmt::format("{}: {}", doing, rd_kafka_err2str(error))));
}

/// Reads a topic from its beginning without joining a group: nobody else notices.
///
/// Lifetime  one command.
class Reader {
public:
    Reader(const KafkaSettings& settings, std::string topic)
        : topic_{std::move(topic)}, brokers_{settings.brokers} {
        std::random_device device;
        // assign() wants a group's name; without subscribe() and commits nobody joins it.
        auto conf = value_or_stop(
            kafka::make_conf(settings, {{"group.id", fmt::format("fanfare-cli-{:08x}", device())},
                                        {"enable.auto.commit", "false"},
                                        {"enable.partition.eof", "true"},
                                        {"auto.offset.reset", "earliest"}}));
        client_ = value_or_stop(kafka::open(RD_KAFKA_CONSUMER, std::move(conf)));
        rd_kafka_poll_set_consumer(client_.get());
        assign();
    }
    ~Reader() { rd_kafka_consumer_close(client_.get()); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// The next record; nothing when every partition is read to its end, or after `most_ms`.
    kafka::Record next(int most_ms) {
        kafka::Record record{rd_kafka_consumer_poll(client_.get(), most_ms)};
        if (record && record->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            open_.erase(record->partition);
            return nullptr;
        }
        if (record && record->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            throw kafka_stop(named("read"), record->err);
        }
        return record;
    }
    [[nodiscard]] bool at_end() const noexcept { return open_.empty(); }

private:
    void assign() {
        const TopicHandle topic{rd_kafka_topic_new(client_.get(), topic_.c_str(), nullptr)};
        const rd_kafka_metadata_t* raw = nullptr;
        const auto error = rd_kafka_metadata(client_.get(), 0, topic.get(), &raw, timeout_ms);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw kafka_stop(named("ask for"), error);
        const Metadata metadata{raw};
        const auto& found = raw->topics[0];
        if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            throw kafka_stop(fmt::format("find {} (fanfare topics creates it)", topic_), found.err);
        }
        const kafka::TopicList list{rd_kafka_topic_partition_list_new(found.partition_cnt)};
        for (int i = 0; i < found.partition_cnt; ++i) {
            const auto id = found.partitions[i].id;
            rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), id)->offset =
                RD_KAFKA_OFFSET_BEGINNING;
            open_.insert(id);
        }
        const auto assigned = rd_kafka_assign(client_.get(), list.get());
        if (assigned != RD_KAFKA_RESP_ERR_NO_ERROR) throw kafka_stop(named("read"), assigned);
    }

    [[nodiscard]] std::string named(std::string_view doing) const {
        return fmt::format("{} {} at {}", doing, topic_, brokers_);
    }

    std::string topic_;
    std::string brokers_;
    kafka::Client client_;
    std::set<std::int32_t> open_;  // Partitions whose end was not reached yet.
};

std::map<std::string, std::string> headers_of(const rd_kafka_message_t& message) {
    std::map<std::string, std::string> all;
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return all;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
        all[name] =
            value == nullptr ? std::string{} : std::string{static_cast<const char*>(value), size};
    }
    return all;
}

DeadLetter letter_of(const rd_kafka_message_t& message) {
    auto headers = headers_of(message);
    DeadLetter letter;
    letter.partition = message.partition;
    letter.offset = message.offset;
    letter.timestamp_ms = rd_kafka_message_timestamp(&message, nullptr);
    if (message.key != nullptr) {
        letter.key.assign(static_cast<const char*>(message.key), message.key_len);
    }
    if (message.payload != nullptr) {
        letter.payload.assign(static_cast<const char*>(message.payload), message.len);
    }
    letter.reason = headers["fanfare-reason"];
    letter.message = headers["fanfare-message"];
    letter.from = fmt::format("{}/{}@{}", headers["fanfare-topic"], headers["fanfare-partition"],
                              headers["fanfare-offset"]);
    letter.bytes = headers.contains("fanfare-bytes") ? std::atoll(headers["fanfare-bytes"].c_str())
                                                     : static_cast<std::int64_t>(message.len);
    for (auto& [name, value] : headers) {
        if (!name.starts_with("fanfare-")) letter.event_headers.emplace_back(name, value);
    }
    std::string whole = fmt::format("{}\n{}\n{}\n", letter.timestamp_ms, letter.key, letter.reason);
    whole += letter.payload;
    letter.digest = hex(digest_of(Digest::sha256, whole));
    return letter;
}

}  // namespace

void read_dead_letters(const KafkaSettings& settings, int follow_ms,
                       const std::function<bool(DeadLetter)>& take) {
    Reader reader{settings, kafka::topics_of(settings).dead};
    const auto begun = system_clock().moment();
    while (!reader.at_end()) {
        if (const auto record = reader.next(poll_ms)) {
            if (!take(letter_of(*record))) return;
        }
        if (system_clock().moment() - begun > std::chrono::milliseconds{timeout_ms * patience}) {
            throw kafka_stop("read the dead letters", RD_KAFKA_RESP_ERR__TIMED_OUT);
        }
    }
    const auto end = system_clock().moment() + std::chrono::milliseconds{follow_ms};
    while (system_clock().moment() < end) {
        if (const auto record = reader.next(poll_ms)) {
            if (!take(letter_of(*record))) return;
        }
    }
}

}  // namespace fanfare::cli
