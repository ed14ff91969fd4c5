#include "core/kafka/topic_admin.hpp"

#include "core/domain/number.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace fanfare::kafka {
namespace {

constexpr int answer_ms = 20'000;
constexpr int admin_request_ms = 15'000;
constexpr int ask_again_ms = 100;
constexpr int asks_max = 30;

using Options = Handle<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;
using Resource = Handle<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy>;
using Growth = Handle<rd_kafka_NewPartitions_t, rd_kafka_NewPartitions_destroy>;

Result<Client> open_client(const KafkaSettings& settings) {
    auto conf = make_conf(settings, {});
    if (!conf) return conf.error();
    // A consumer: a producer's question would have some brokers create what it asks for.
    return open(RD_KAFKA_CONSUMER, std::move(conf.value()));
}

/// What the broker answers to `call(options, queue)`.
template <class Call>
Result<Event> ask(rd_kafka_t* client, rd_kafka_admin_op_t what, const std::string& doing,
                  Call call) {
    ErrorText text{};
    const Options options{rd_kafka_AdminOptions_new(client, what)};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), admin_request_ms, text.data(),
                                              text.size());
    const Queue queue{rd_kafka_queue_new(client)};
    call(options.get(), queue.get());
    Event event{rd_kafka_queue_poll(queue.get(), answer_ms)};
    if (event && rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR_NO_ERROR) return event;
    return fail(
        Errc::kafka_unavailable,
        fmt::format("{}: {}", doing,
                    event ? rd_kafka_err2str(rd_kafka_event_error(event.get())) : "no answer"));
}

Result<std::vector<TopicState>> count_partitions(rd_kafka_t* client, const Topics& topics) {
    const rd_kafka_metadata_t* raw = nullptr;
    const auto error = rd_kafka_metadata(client, 1, nullptr, &raw, admin_request_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fail(Errc::kafka_unavailable,
                    fmt::format("ask the broker for its topics: {}", rd_kafka_err2str(error)));
    }
    const Handle<const rd_kafka_metadata_t, rd_kafka_metadata_destroy> metadata{raw};
    const std::span found{metadata->topics, static_cast<std::size_t>(metadata->topic_cnt)};
    std::vector<TopicState> states;
    for (auto& name : list_names(topics)) {
        auto& state = states.emplace_back();
        const auto entry = std::find_if(found.begin(), found.end(), [&name](const auto& each) {
            return name == each.topic && !says_unknown(each.err);
        });
        if (entry != found.end()) state.partitions = entry->partition_cnt;
        state.name = std::move(name);
    }
    return states;
}

void take_settings(const rd_kafka_ConfigResource_t* resource, TopicState& state) {
    std::size_t count = 0;
    const auto** entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string_view name{rd_kafka_ConfigEntry_name(entries[i])};
        const char* const value = rd_kafka_ConfigEntry_value(entries[i]);
        if (value == nullptr) continue;
        if (name == "message.timestamp.type") {
            state.is_stamped_by_publishers = std::string_view{value} == "CreateTime";
        } else if (name == "max.message.bytes") {
            state.record_bytes_max = parse_number<std::int64_t>(value).value_or(0);
        }
    }
}

std::span<const rd_kafka_ConfigResource_t*> list_resources(const Event& event) {
    std::size_t count = 0;
    const auto** resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event.get()), &count);
    return {resources, count};
}

/// Asks again where the broker does not know yet how a topic is set that it has just made.
Result<Event> describe_configs(rd_kafka_t* client, std::vector<rd_kafka_ConfigResource_t*>& of) {
    for (int asked = 1;; ++asked) {
        auto event = ask(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS,
                         "ask the broker how its topics are set", [&](auto* options, auto* queue) {
                             rd_kafka_DescribeConfigs(client, of.data(), of.size(), options, queue);
                         });
        if (!event || asked == asks_max) return event;
        const auto told = list_resources(event.value());
        const bool is_all = std::none_of(told.begin(), told.end(), [](const auto* resource) {
            return says_unknown(rd_kafka_ConfigResource_error(resource));
        });
        if (is_all) return event;
        rd_kafka_poll(client, ask_again_ms);
    }
}

}  // namespace

Result<std::vector<TopicState>> look_at_topics(const KafkaSettings& settings) {
    const auto client = open_client(settings);
    if (!client) return client.error();
    auto states = count_partitions(client.value().get(), list_topics(settings));
    if (!states) return states;
    std::vector<Resource> wanted;
    std::vector<rd_kafka_ConfigResource_t*> raw;
    for (const auto& state : states.value()) {
        if (state.partitions == 0) continue;
        wanted.emplace_back(
            rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, state.name.c_str()));
        raw.push_back(wanted.back().get());
    }
    if (raw.empty()) return states;
    const auto told = describe_configs(client.value().get(), raw);
    if (!told) return told.error();
    for (const auto* resource : list_resources(told.value())) {
        const std::string_view name{rd_kafka_ConfigResource_name(resource)};
        for (auto& state : states.value()) {
            if (state.name == name) take_settings(resource, state);
        }
    }
    return states;
}

Result<std::vector<std::string>> grow_topics(const KafkaSettings& settings,
                                             std::int32_t partitions) {
    const auto client = open_client(settings);
    if (!client) return client.error();
    const auto states = count_partitions(client.value().get(), list_topics(settings));
    if (!states) return states.error();
    ErrorText text{};
    std::vector<Growth> wanted;
    std::vector<rd_kafka_NewPartitions_t*> raw;
    std::vector<std::string> names;
    for (const auto& state : states.value()) {
        if (state.partitions == 0 || state.partitions >= partitions) continue;
        wanted.emplace_back(rd_kafka_NewPartitions_new(
            state.name.c_str(), static_cast<std::size_t>(partitions), text.data(), text.size()));
        raw.push_back(wanted.back().get());
        names.push_back(state.name);
    }
    if (raw.empty()) return names;
    const auto event = ask(client.value().get(), RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, "grow topics",
                           [&](auto* options, auto* queue) {
                               rd_kafka_CreatePartitions(client.value().get(), raw.data(),
                                                         raw.size(), options, queue);
                           });
    if (!event) return event.error();
    std::size_t count = 0;
    const auto** results = rd_kafka_CreatePartitions_result_topics(
        rd_kafka_event_CreatePartitions_result(event.value().get()), &count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto error = rd_kafka_topic_result_error(results[i]);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
        return fail(Errc::kafka_unavailable,
                    fmt::format("grow topic {}: {}", rd_kafka_topic_result_name(results[i]),
                                rd_kafka_err2str(error)));
    }
    return names;
}

}  // namespace fanfare::kafka
