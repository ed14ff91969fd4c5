#pragma once

#include <cstddef>
#include <vector>

namespace fanfare::kafka {

/// How many bytes of each topic are delivered and not finished yet, and whether that is enough for
/// now: full from `max` on, until half of it is finished. What was read before a rebalance counts
/// until it is finished, for that long it is held.
class Held {
public:
    Held(std::size_t topics, std::size_t max) : topics_(topics), max_{max} {}

    void take(std::size_t topic, std::size_t bytes) {
        auto& held = topics_.at(topic);
        held.bytes += bytes;
        if (held.bytes >= max_) held.full = true;
    }
    void give_back(std::size_t topic, std::size_t bytes) {
        auto& held = topics_.at(topic);
        held.bytes -= bytes < held.bytes ? bytes : held.bytes;
        if (held.bytes <= max_ / 2) held.full = false;
    }
    [[nodiscard]] bool is_full(std::size_t topic) const { return topics_.at(topic).full; }
    [[nodiscard]] std::size_t bytes(std::size_t topic) const { return topics_.at(topic).bytes; }

private:
    struct Topic {
        std::size_t bytes = 0;
        bool full = false;
    };
    std::vector<Topic> topics_;
    std::size_t max_;
};

}  // namespace fanfare::kafka
