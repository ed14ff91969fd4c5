#pragma once

#include "core/error/failure.hpp"
#include "core/kafka/handles.hpp"
#include "core/settings/settings.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::kafka {

using ErrorText = std::array<char, 512>;  // librdkafka writes its reasons into it.

/// The names of our topics.
struct Topics {
    std::string jobs;                            // fanfare.jobs
    std::array<std::string, lane_count> chunks;  // fanfare.chunks.<lane>
    std::string dead;                            // fanfare.dead
    std::string receipts;                        // fanfare.receipts
};
[[nodiscard]] Topics list_topics(const KafkaSettings& settings);
[[nodiscard]] std::vector<std::string> list_names(const Topics& topics);

/// The largest record that clients and topics take. A job that is too big must reach us to be
/// refused.
inline constexpr std::size_t record_bytes_max = 8UL * 1024 * 1024;

/// True for an error that says that a topic, or a partition of it, is not there.
[[nodiscard]] bool says_unknown(rd_kafka_resp_err_t error) noexcept;

/// A configuration with what all our clients share, and `extra` on top.
[[nodiscard]] Result<Conf> make_conf(const KafkaSettings& settings,
                                     const std::vector<std::pair<std::string, std::string>>& extra);

/// Opens a client; librdkafka takes the configuration only when it succeeds.
[[nodiscard]] Result<Client> open(rd_kafka_type_t type, Conf conf);

/// Runs `close` on a thread of its own and waits for it, at most `most`: where a topic or the
/// broker is gone, this version of librdkafka may never come back from closing a client. What
/// takes longer goes on beside the program.
void close_beside(std::function<void()> close, std::chrono::milliseconds most);
/// Closings that have not come to an end: a program that ends meanwhile must do so by _Exit.
[[nodiscard]] std::size_t still_closing() noexcept;

/// Handles of topics; librdkafka asks after them as long as they are held, which is not longer
/// than the client.
[[nodiscard]] std::vector<Topic> topics_named(rd_kafka_t* client,
                                              const std::vector<std::string>& names);

/// Which of our topics a broker lacks.
struct Missing {
    std::string cluster;  // The id of the broker's cluster; a broker that was wiped has another.
    std::vector<std::string> topics;
};
[[nodiscard]] Result<Missing> missing_topics(rd_kafka_t* client, const std::vector<Topic>& known,
                                             std::chrono::milliseconds most);
/// How long a topic that is missing is left so, that every client sees it: some versions of
/// librdkafka die of a topic that is another than it was at their last look. Mostly 0.
[[nodiscard]] std::chrono::milliseconds wait_before_making() noexcept;
/// Creates `names`; that one is there already is no fault.
[[nodiscard]] Result<void> make_topics(rd_kafka_t* client, const KafkaSettings& settings,
                                       const std::vector<std::string>& names);

/// Creates our topics where they are missing, after wait_before_making(). Needs the broker; waits
/// up to 15 s.
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
