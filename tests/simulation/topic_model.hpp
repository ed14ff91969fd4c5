#pragma once

#include "core/kafka/consumer.hpp"
#include "core/kafka/watermark.hpp"
#include "tests/simulation/store_model.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fanfare::simulation {

/// A record: a job to be taken, or the name of a chunk.
struct TopicRecord {
    std::string job;
    std::optional<std::int32_t> chunk;  // None: the job itself.
};

/// Kafka as far as it matters here: partitions with offsets, one group with an owner for each
/// partition, and offsets committed by whoever owns it. Jobs are in the first two partitions.
///
/// Threads   one.
class TopicModel {
public:
    static constexpr std::size_t partition_count = 4;

    void publish(TopicRecord record);
    /// Nothing is left of these partitions.
    void wipe(std::size_t begin, std::size_t end);

    /// Who takes part; partitions go round among them.
    void join(std::uint64_t member);
    void leave(std::uint64_t member);
    void rebalance(std::uint64_t turn);
    /// Whom a member has called when there is something new for it.
    void listen(std::uint64_t member, std::function<void()> wake);
    [[nodiscard]] std::uint64_t generation() const { return generation_; }
    [[nodiscard]] std::vector<std::size_t> partitions_of(std::uint64_t member) const;

    [[nodiscard]] std::int64_t committed(std::size_t partition) const {
        return committed_[partition];
    }
    void commit(std::size_t partition, std::int64_t offset) { committed_[partition] = offset; }
    [[nodiscard]] const TopicRecord* read(std::size_t partition, std::int64_t offset) const;

private:
    [[nodiscard]] std::size_t place_of(std::size_t partition) const {
        return (partition + turn_) % members_.size();
    }
    void begin_generation();

    std::array<std::vector<TopicRecord>, partition_count> records_;
    std::array<std::int64_t, partition_count> begins_{};  // After a wipe.
    std::array<std::int64_t, partition_count> committed_{};
    std::set<std::uint64_t> members_;
    std::map<std::uint64_t, std::function<void()>> listeners_;
    std::uint64_t generation_ = 1, turn_ = 0;
};

/// One member's reading, as worker/ does it: what it holds, and how far it may commit.
class TopicReader {
public:
    TopicReader(TopicModel& topic, std::uint64_t member) : topic_{topic}, member_{member} {}

    /// What came since, in the order of the log.
    [[nodiscard]] std::vector<std::pair<kafka::Received, TopicRecord>> poll();
    void finish(const kafka::Received& received);
    void commit();
    /// Whether there is more for it than the last poll brought.
    [[nodiscard]] bool has_more() const;
    /// Whether it has read what is not committed.
    [[nodiscard]] bool is_behind() const;

private:
    struct Place {
        std::int64_t next = 0;
        kafka::Watermark watermark;
    };
    TopicModel& topic_;
    std::uint64_t member_;
    std::uint64_t generation_ = 0;
    std::map<std::size_t, Place> places_;
};

}  // namespace fanfare::simulation
