#include "core/kafka/lag.hpp"

#include "core/kafka/client.hpp"
#include "core/kafka/topic_admin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace fanfare::kafka {
namespace {

constexpr int lag_request_ms = 10'000;
using Group = Handle<const rd_kafka_group_list, rd_kafka_group_list_destroy>;

Failure unanswered(std::string_view question, rd_kafka_resp_err_t error) {
    return fail(Errc::kafka_unavailable,
                fmt::format("ask the broker {}: {}", question, rd_kafka_err2str(error)));
}

Result<std::size_t> count_members(rd_kafka_t* client, const std::string& name) {
    const rd_kafka_group_list* raw = nullptr;
    const auto error = rd_kafka_list_groups(client, name.c_str(), &raw, lag_request_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return unanswered("for the workers' group", error);
    const Group groups{raw};
    std::size_t members = 0;
    for (int i = 0; i < raw->group_cnt; ++i) {
        members += static_cast<std::size_t>(raw->groups[i].member_cnt);
    }
    return members;
}

/// What lies between what the group has finished and the end.
Result<std::int64_t> count_records(rd_kafka_t* client, rd_kafka_topic_partition_list_t* list) {
    const auto error = rd_kafka_committed(client, list, lag_request_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return unanswered("what is finished", error);
    std::int64_t records = 0;
    for (const auto& each : std::span{list->elems, static_cast<std::size_t>(list->cnt)}) {
        std::int64_t first = 0, end = 0;
        const auto asked = rd_kafka_query_watermark_offsets(client, each.topic, each.partition,
                                                            &first, &end, lag_request_ms);
        if (asked != RD_KAFKA_RESP_ERR_NO_ERROR) return unanswered("how far a topic goes", asked);
        records += std::max<std::int64_t>(0, end - std::max(first, each.offset));
    }
    return records;
}

}  // namespace

Result<GroupState> look_at_group(const KafkaSettings& settings) {
    const auto topics = look_at_topics(settings);
    if (!topics) return topics.error();
    auto conf =
        make_conf(settings, {{"group.id", settings.group}, {"enable.auto.commit", "false"}});
    if (!conf) return conf.error();
    const auto client = open(RD_KAFKA_CONSUMER, std::move(conf.value()));
    if (!client) return client.error();
    GroupState state;
    const auto members = count_members(client.value().get(), settings.group);
    if (!members) return members.error();
    state.members = members.value();
    const auto dead = list_topics(settings).dead;
    for (const auto& topic : topics.value()) {
        if (topic.partitions == 0 || topic.name == dead) continue;
        const TopicList list{rd_kafka_topic_partition_list_new(topic.partitions)};
        for (std::int32_t i = 0; i < topic.partitions; ++i) {
            rd_kafka_topic_partition_list_add(list.get(), topic.name.c_str(), i);
        }
        const auto records = count_records(client.value().get(), list.get());
        if (!records) return records.error();
        state.topics.push_back({topic.name, records.value()});
    }
    return state;
}

}  // namespace fanfare::kafka
