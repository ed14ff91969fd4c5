#pragma once

#include "core/clock/clock.hpp"
#include "core/error/failure.hpp"
#include "core/kafka/dead_place.hpp"
#include "core/settings/settings.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::kafka {

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

/// Reads the dead letters, from their beginning or `from` on, without joining a group: nobody else
/// notices. Goes on while `take` says so, to the end, and `follow` longer for new ones. Blocks.
///
/// Bounds    10 s for each answer of the broker, 30 s to the end; one record in memory.
[[nodiscard]] Result<void> read_dead_letters(const KafkaSettings& settings, const Clock& clock,
                                             std::chrono::milliseconds follow,
                                             const std::function<bool(DeadLetter)>& take,
                                             const DeadPlace& from = {});

struct DeadPage {
    std::vector<DeadLetter> letters;
    std::optional<DeadPlace> next;  // Where there are more; while following: where there may be.
};
/// Up to `limit` of those that are `wanted`, as above, without their payloads. Pages that begin
/// where those before them ended hold each letter once.
[[nodiscard]] Result<DeadPage> read_dead_page(const KafkaSettings& settings, const Clock& clock,
                                              std::chrono::milliseconds follow,
                                              const DeadPlace& from, std::size_t limit,
                                              const std::function<bool(const DeadLetter&)>& wanted);

/// Those whose digest begins so, each once; no more than two, which is enough to know that there
/// are several. Blocks, as above.
[[nodiscard]] Result<std::vector<DeadLetter>> find_dead_letters(const KafkaSettings& settings,
                                                                const Clock& clock,
                                                                std::string_view digest);

/// Publishes `payload` as a letter once was, under its key and with what makes it an event. True
/// once the broker has it. Blocks, for at most `most` and what it takes to open a client.
[[nodiscard]] Result<void> publish_again(const KafkaSettings& settings, const DeadLetter& letter,
                                         std::string_view payload, std::chrono::milliseconds most);

}  // namespace fanfare::kafka
