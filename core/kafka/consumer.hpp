#pragma once

#include "core/error/failure.hpp"
#include "core/kafka/client.hpp"
#include "core/kafka/held.hpp"
#include "core/kafka/membership.hpp"
#include "core/kafka/watermark.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fanfare::kafka {

/// One record as read. The bytes belong to it.
struct Received {
    std::size_t topic = 0;  // Index into the list the consumer was opened with.
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::int64_t timestamp_ms = -1;  // The broker's or the publisher's; -1: none.
    std::uint64_t generation = 0;    // Of the assignment it came under.
    std::size_t bytes = 0;           // That it counts for while it is not finished.
    std::string key;
    std::string value;
    std::vector<std::pair<std::string, std::string>> headers;  // Of the first topic only.
};

/// How many records of each topic are at the broker and not finished here.
using Lags = std::map<std::string, std::int64_t>;

/// A configuration of make_conf() with what a consumer of ours is.
[[nodiscard]] Result<Conf> make_consumer_conf(const KafkaSettings& settings);

class TopicKeeper;

/// Reads topics as a member of a group; commits only what is finished.
///
/// When topics were missed, or the broker became another, it opens anew and reads on from what the
/// group has committed; nothing that was delivered before is committed then.
///
/// Eager assignment: cooperative-sticky loses its assignment on a commit during a rebalance
/// in this version. Records are fetched one by one: the batch call skips some after pause.
///
/// A topic of which held_bytes_max are delivered and not finished is paused until half of that is
/// finished, whatever the receivers do: none of them can be flooded.
///
/// Bounds    1,000 records or 1 MiB prefetched a partition; held_bytes_max a topic.
/// Stop      stop() ends reading; the destructor commits, leaves the group and gives up
///           after 10 s.
/// Threads   one poll thread of its own calls `deliver`; finish(), pause(), resume() from any.
/// Lifetime  the keeper outlives it.
class Consumer {
public:
    using Deliver = std::function<void(Received)>;
    static constexpr std::size_t held_bytes_max = 8 * 1024 * 1024;

    [[nodiscard]] static Result<std::unique_ptr<Consumer>> open(const KafkaSettings& settings,
                                                                std::vector<std::string> topics,
                                                                Deliver deliver,
                                                                TopicKeeper* keeper = nullptr);
    ~Consumer();
    Consumer(const Consumer&) = delete;
    Consumer& operator=(const Consumer&) = delete;

    /// The record needs nothing more: its offset may be committed. Once for each that was
    /// delivered, also where its partition is somebody else's by now.
    void finish(const Received& record);

    /// Stops or resumes fetching of one topic; what was delivered stays delivered.
    void set_paused(std::size_t topic, bool paused);

    /// Ends reading and joins the poll thread; finish() still counts until destruction.
    void stop();

    /// Commits and leaves the group within `most`, so that others read on at once; for a process
    /// that ends without destructors.
    void leave(std::chrono::milliseconds most);

    /// As of about a second ago; of the partitions that are this consumer's and of which it has
    /// read.
    [[nodiscard]] Lags lags() const;

    /// When the poll loop last turned; for the watchdog.
    [[nodiscard]] std::chrono::steady_clock::time_point last_poll() const noexcept {
        return last_poll_.load();
    }
    [[nodiscard]] bool has_assignment() const noexcept { return assigned_.load(); }
    /// The group knows it, with or without partitions: there may be more members than those.
    [[nodiscard]] bool is_member() const noexcept { return membership_.is_member(); }
    /// The same, or a rebalance began no longer than `grace` ago and is not over yet.
    [[nodiscard]] bool was_member_within(std::chrono::nanoseconds grace) const {
        return membership_.was_member_within(grace);
    }
    [[nodiscard]] bool is_fatal() const noexcept { return fatal_.load(); }

private:
    struct Partition {
        Watermark watermark;
        std::int64_t last = -1;
        std::int64_t committed = -1;
        std::uint64_t generation = 0;
    };
    using PartitionKey = std::pair<std::size_t, std::int32_t>;
    /// One client of librdkafka; its callbacks may come when it is no longer the consumer's.
    struct Session {
        std::atomic<Consumer*> owner{nullptr};
        Client client;
        Queue queue;  // Of it; gone before it.
    };

    Consumer(KafkaSettings settings, std::vector<std::string> topics, Deliver deliver,
             TopicKeeper* keeper);
    [[nodiscard]] Result<std::shared_ptr<Session>> open_session();
    static void on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t error,
                             rd_kafka_topic_partition_list_t* partitions, void* session);
    static void on_error(rd_kafka_t* client, int error, const char* reason, void* session);
    static void close(Session& session, const rd_kafka_topic_partition_list_t& finished);
    void poll_loop();
    void wake();  // Under the mutex: poll_loop() looks at once.
    void open_anew();
    void note(rd_kafka_resp_err_t error);
    void take(const rd_kafka_message_t& message);
    void apply_pauses();
    void forget_partitions();
    [[nodiscard]] TopicList committable();
    void commit(bool wait);
    void measure_lags();
    [[nodiscard]] std::size_t find_index(const char* topic) const;

    KafkaSettings settings_;
    std::vector<std::string> topics_;
    Deliver deliver_;
    TopicKeeper* keeper_;
    std::shared_ptr<Session> session_;  // Changed by the poll thread, under the mutex.
    std::uint64_t renewal_ = 0;         // As the keeper counts them.
    bool distrusted_ = false;           // A topic was missed: nothing is committed any more.
    mutable std::mutex mutex_;  // Guards partitions_, generation_, held_, lags_, pause wishes.
    std::map<PartitionKey, Partition> partitions_;
    std::uint64_t generation_ = 0;
    Held held_{0, held_bytes_max};
    std::vector<std::int64_t> lags_;  // By topic.
    std::vector<bool> pause_wanted_;
    std::vector<bool> pause_applied_;  // Poll thread only.
    std::atomic<bool> stopping_{false};
    std::atomic<bool> assigned_{false};
    Membership membership_{system_clock()};
    std::atomic<bool> fatal_{false};
    std::atomic<std::chrono::steady_clock::time_point> last_poll_{};
    std::thread poller_;
};

}  // namespace fanfare::kafka
