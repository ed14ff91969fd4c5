#include "cli/command.hpp"
#include "cli/output.hpp"
#include "core/kafka/topic_admin.hpp"

#include <algorithm>

namespace fanfare::cli {
namespace {

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

void add_topics(const Command& app, Globals& globals) {
    const auto command =
        app.command("topics", "Create Kafka's topics where missing; give them partitions");
    auto partitions = std::make_shared<std::int32_t>(0);
    command
        .option("--partitions", *partitions,
                "Give each topic so many, where it has fewer; none are ever taken away")
        .within(1, 1'000);
    choose(command, globals, [&globals, partitions] { return topics(globals, *partitions); });
}

}  // namespace fanfare::cli
