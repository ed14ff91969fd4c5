#pragma once

#include "core/error/failure.hpp"
#include "core/kafka/handles.hpp"
#include "core/settings/settings.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::kafka {

/// The names of our topics.
struct Topics {
    std::string jobs;                            // fanfare.jobs
    std::array<std::string, lane_count> chunks;  // fanfare.chunks.<lane>
    std::string dead;                            // fanfare.dead
    std::string receipts;                        // fanfare.receipts
};
[[nodiscard]] Topics topics_of(const KafkaSettings& settings);

/// A configuration with what all our clients share, and `extra` on top.
[[nodiscard]] Result<Conf> make_conf(const KafkaSettings& settings,
                                     const std::vector<std::pair<std::string, std::string>>& extra);

/// Opens a client; librdkafka takes the configuration only when it succeeds.
[[nodiscard]] Result<Client> open(rd_kafka_type_t type, Conf conf);

/// Creates our topics where they are missing. Needs the broker; waits up to 15 s.
[[nodiscard]] Result<void> create_topics(const KafkaSettings& settings);

/// librdkafka's own mock cluster inside this process: no durability, forgets beyond 5 MB a
/// partition. For a first try and for error injection.
///
/// Lifetime  clients of it are closed first.
class EmbeddedBroker {
public:
    [[nodiscard]] static Result<EmbeddedBroker> start(const KafkaSettings& settings);
    [[nodiscard]] const std::string& address() const noexcept { return address_; }

private:
    EmbeddedBroker(Client host, std::string address)
        : host_{std::move(host)}, address_{std::move(address)} {}
    Client host_;  // The mock cluster belongs to it.
    std::string address_;
};

/// Makes the broker of the settings ready: the embedded one is started, and `settings` point to it
/// from then on; on any other our topics are created. The embedded one, or nothing.
[[nodiscard]] Result<std::optional<EmbeddedBroker>> open_broker(KafkaSettings& settings);

}  // namespace fanfare::kafka
