// dead and topics: what is asked of Kafka.
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "core/clock/clock.hpp"
#include "core/kafka/client.hpp"
#include "core/kafka/topic_admin.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace fanfare::cli {
namespace {

constexpr int timeout_ms = 10'000;
using Metadata = Handle<const rd_kafka_metadata_t, rd_kafka_metadata_destroy>;
using TopicHandle = Handle<rd_kafka_topic_t, rd_kafka_topic_destroy>;

struct DeadOptions {
    int limit = 50;
    int follow_ms = 0;
};

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

Record record_of(const rd_kafka_message_t& message) {
    auto headers = headers_of(message);
    const auto bytes = headers.contains("fanfare-bytes")
                           ? std::atoll(headers["fanfare-bytes"].c_str())
                           : static_cast<long long>(message.len);
    return {{"partition", std::int64_t{message.partition}},
            {"offset", message.offset},
            {"from", fmt::format("{}/{}@{}", headers["fanfare-topic"], headers["fanfare-partition"],
                                 headers["fanfare-offset"])},
            {"bytes", std::int64_t{bytes}},
            {"reason", headers["fanfare-reason"]},
            {"message", headers["fanfare-message"]}};
}

int dead_list(const Globals& globals, const DeadOptions& options) {
    const auto settings = load_settings_or_stop(globals);
    Reader reader{settings.kafka, kafka::topics_of(settings.kafka).dead};
    std::vector<Record> records;
    const auto take = [&](int most_ms) {
        if (const auto record = reader.next(most_ms)) records.push_back(record_of(*record));
    };
    const auto full = [&] { return records.size() >= static_cast<std::size_t>(options.limit); };
    const auto begun = system_clock().moment();
    while (!full() && !reader.at_end()) {
        take(100);
        if (system_clock().moment() - begun > std::chrono::milliseconds{timeout_ms * 3}) {
            throw kafka_stop("read the dead letters", RD_KAFKA_RESP_ERR__TIMED_OUT);
        }
    }
    const auto end = system_clock().moment() + std::chrono::milliseconds{options.follow_ms};
    while (!full() && system_clock().moment() < end) take(50);
    print(records, globals.json, "no dead letters");
    return exit_ok;
}

int topics(const Globals& globals, std::int32_t partitions) {
    const auto settings = load_settings_or_stop(globals);
    value_or_stop(kafka::create_topics(settings.kafka));
    std::vector<std::string> grown;
    if (partitions > 0) grown = value_or_stop(kafka::grow_topics(settings.kafka, partitions));
    std::vector<Record> records;
    bool has_more = false;
    for (const auto& state : value_or_stop(kafka::look_at_topics(settings.kafka))) {
        const bool is_grown = std::find(grown.begin(), grown.end(), state.name) != grown.end();
        // The broker may tell of it a little later.
        const auto count = is_grown ? std::max(partitions, state.partitions) : state.partitions;
        records.push_back(
            {{"topic", state.name}, {"partitions", std::int64_t{count}}, {"grown", is_grown}});
        has_more = has_more || (partitions > 0 && count > partitions);
    }
    print(records, globals.json, "");
    if (!has_more) return exit_ok;
    throw Stop{exit_rejected, "a topic has more partitions already: Kafka takes none away"};
}

}  // namespace

void add_dead(CLI::App& app, Globals& globals) {
    auto* const command =
        app.add_subcommand("dead", "Dead letters: what was published and refused");
    command->require_subcommand(1);
    auto* const list = command->add_subcommand("list", "What, why, and how to mend it");
    auto options = std::make_shared<DeadOptions>();
    list->add_option("-n,--limit", options->limit, "How many")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    list->add_option("--follow-ms", options->follow_ms, "Wait for new ones so long")
        ->check(CLI::Range(0, 86'400'000));
    list->callback([&globals, options] {
        globals.chosen = [&globals, options] { return dead_list(globals, *options); };
    });
}

void add_topics(CLI::App& app, Globals& globals) {
    auto* const command =
        app.add_subcommand("topics", "Create Kafka's topics where missing; give them partitions");
    auto partitions = std::make_shared<std::int32_t>(0);
    command
        ->add_option("--partitions", *partitions,
                     "Give each topic so many, where it has fewer; none are ever taken away")
        ->check(CLI::Range(1, 1'000));
    choose(command, globals, [&globals, partitions] { return topics(globals, *partitions); });
}

}  // namespace fanfare::cli
