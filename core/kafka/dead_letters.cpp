#include "core/kafka/dead_letters.hpp"

#include "core/crypto/digest.hpp"
#include "core/kafka/client.hpp"
#include "core/kafka/headers.hpp"
#include "core/kafka/producer.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <set>

namespace fanfare::kafka {
namespace {

constexpr std::chrono::milliseconds reader_answer_max{10'000};
constexpr int patience = 3;  // Answers' times that reading to the end may take.
constexpr int read_ms = 50;
constexpr std::chrono::milliseconds reader_close_max{1'500};
using Metadata = Handle<const rd_kafka_metadata_t, rd_kafka_metadata_destroy>;

Failure to_failure(const std::string& doing, rd_kafka_resp_err_t error) {
    return fail(Errc::kafka_unavailable, fmt::format("{}: {}", doing, rd_kafka_err2str(error)));
}

/// Reads a topic from its beginning without joining a group: nobody else notices.
///
/// Lifetime  one reading.
class Reader {
public:
    Reader(const KafkaSettings& settings, std::string topic)
        : topic_{std::move(topic)}, brokers_{settings.brokers} {}
    ~Reader() {
        if (!client_) return;
        const auto client = std::make_shared<Client>(std::move(client_));
        close_beside(
            [client] {
                rd_kafka_consumer_close(client->get());
                client->reset();
            },
            reader_close_max);
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    Result<void> open(const KafkaSettings& settings, const DeadPlace& from) {
        // assign() wants a group's name; without subscribe() and commits nobody joins it.
        auto conf = make_conf(settings, {{"group.id", "fanfare-dead-letters"},
                                         {"enable.auto.commit", "false"},
                                         {"enable.partition.eof", "true"},
                                         {"auto.offset.reset", "earliest"}});
        if (!conf) return conf.error();
        auto client = kafka::open(RD_KAFKA_CONSUMER, std::move(conf.value()));
        if (!client) return client.error();
        client_ = std::move(client.value());
        rd_kafka_poll_set_consumer(client_.get());
        return assign(from);
    }

    /// The next record; nothing when every partition is read to its end, or after a moment.
    Result<Record> next() {
        Record record{rd_kafka_consumer_poll(client_.get(), read_ms)};
        if (record && record->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            open_.erase(record->partition);
            return Record{};
        }
        if (record && record->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return to_failure(named("read"), record->err);
        }
        return record;
    }
    [[nodiscard]] bool at_end() const noexcept { return open_.empty(); }

private:
    Result<void> assign(const DeadPlace& from) {
        const Topic topic{rd_kafka_topic_new(client_.get(), topic_.c_str(), nullptr)};
        const rd_kafka_metadata_t* raw = nullptr;
        const auto error = rd_kafka_metadata(client_.get(), 0, topic.get(), &raw,
                                             static_cast<int>(reader_answer_max.count()));
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return to_failure(named("ask for"), error);
        const Metadata metadata{raw};
        const auto& found = raw->topics[0];
        if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return to_failure(fmt::format("find {} (fanfare topics creates it)", topic_),
                              found.err);
        }
        const TopicList list{rd_kafka_topic_partition_list_new(found.partition_cnt)};
        for (int i = 0; i < found.partition_cnt; ++i) {
            const auto id = found.partitions[i].id;
            const auto begin = from.find(id);
            rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), id)->offset =
                begin == from.end() ? RD_KAFKA_OFFSET_BEGINNING : begin->second;
            open_.insert(id);
        }
        const auto assigned = rd_kafka_assign(client_.get(), list.get());
        if (assigned != RD_KAFKA_RESP_ERR_NO_ERROR) return to_failure(named("read"), assigned);
        return {};
    }

    [[nodiscard]] std::string named(std::string_view doing) const {
        return fmt::format("{} {} at {}", doing, topic_, brokers_);
    }

    std::string topic_;
    std::string brokers_;
    Client client_;
    std::set<std::int32_t> open_;  // Partitions whose end was not reached yet.
};

std::map<std::string, std::string> read_headers(const rd_kafka_message_t& message) {
    std::map<std::string, std::string> all;
    for_each_header(message, [&all](std::string_view name, const auto& value) {
        all.insert_or_assign(std::string{name}, std::string{value.value_or("")});
    });
    return all;
}

DeadLetter read_letter(const rd_kafka_message_t& message) {
    auto headers = read_headers(message);
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
    // Binary events may differ in nothing else.
    for (const auto& [name, value] : letter.event_headers) {
        whole += fmt::format("\n{}\n{}:{}", name, value.size(), value);
    }
    letter.digest = hex(compute_digest(Digest::sha256, whole));
    return letter;
}

}  // namespace

Result<void> read_dead_letters(const KafkaSettings& settings, const Clock& clock,
                               std::chrono::milliseconds follow,
                               const std::function<bool(DeadLetter)>& take, const DeadPlace& from) {
    Reader reader{settings, list_topics(settings).dead};
    if (auto opened = reader.open(settings, from); !opened) return opened;
    const auto patient_until = clock.steady_now() + reader_answer_max * patience;
    while (!reader.at_end()) {
        const auto record = reader.next();
        if (!record) return record.error();
        if (record.value() && !take(read_letter(*record.value()))) return {};
        if (clock.steady_now() > patient_until) {
            return to_failure("read the dead letters", RD_KAFKA_RESP_ERR__TIMED_OUT);
        }
    }
    const auto end = clock.steady_now() + follow;
    while (clock.steady_now() < end) {
        const auto record = reader.next();
        if (!record) return record.error();
        if (record.value() && !take(read_letter(*record.value()))) return {};
    }
    return {};
}

Result<DeadPage> read_dead_page(const KafkaSettings& settings, const Clock& clock,
                                std::chrono::milliseconds follow, const DeadPlace& from,
                                std::size_t limit,
                                const std::function<bool(const DeadLetter&)>& wanted) {
    DeadPage page;
    auto place = from;
    const bool follows = follow.count() > 0;
    const auto take = [&](DeadLetter letter) {
        const bool is_wanted = wanted(letter);
        const bool is_full = page.letters.size() == limit;
        if (is_wanted && is_full) {
            page.next = place;
            return false;
        }
        place[letter.partition] = letter.offset + 1;
        letter.payload.clear();
        if (is_wanted) page.letters.push_back(std::move(letter));
        if (!follows || page.letters.size() < limit) return true;
        page.next = place;
        return false;
    };
    if (auto done = read_dead_letters(settings, clock, follow, take, from); !done) {
        return done.error();
    }
    return page;
}

Result<std::vector<DeadLetter>> find_dead_letters(const KafkaSettings& settings, const Clock& clock,
                                                  std::string_view digest) {
    std::vector<DeadLetter> found;
    auto read = read_dead_letters(settings, clock, {}, [&](DeadLetter letter) {
        const bool is_known = !found.empty() && found.front().digest == letter.digest;
        if (!is_known && letter.digest.starts_with(digest)) found.push_back(std::move(letter));
        return found.size() < 2;
    });
    if (!read) return read.error();
    return found;
}

Result<void> publish_again(const KafkaSettings& settings, const DeadLetter& letter,
                           std::string_view payload, std::chrono::milliseconds most) {
    const auto topics = list_topics(settings);
    const auto producer = Producer::open(settings);
    if (!producer) return producer.error();
    return producer.value()->publish_and_wait(
        {topics.jobs, letter.key, payload, letter.event_headers}, most);
}

}  // namespace fanfare::kafka
