#pragma once

#include "cli/command.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::cli {

/// What was published and refused, as it stands on fanfare.dead.
struct DeadLetter {
    std::string digest;  // SHA-256 of its time, key, reason and payload: offsets begin anew when a
                         // topic is lost, and one that is refused again is another.
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::int64_t timestamp_ms = 0;
    std::string key;
    std::string payload;
    std::string from;  // topic/partition@offset
    std::string reason;
    std::string message;
    std::int64_t bytes = 0;  // As it was published; more than the payload where that is cut.
    std::vector<std::pair<std::string, std::string>> event_headers;  // Of a CloudEvent.

    [[nodiscard]] bool is_cut() const noexcept {
        return bytes > static_cast<std::int64_t>(payload.size());
    }
};

/// Reads the dead letters from their beginning, without joining a group: nobody else notices. Goes
/// on while `take` says so, to the end, and `follow_ms` longer for new ones.
void read_dead_letters(const KafkaSettings& settings, int follow_ms,
                       const std::function<bool(DeadLetter)>& take);

}  // namespace fanfare::cli
