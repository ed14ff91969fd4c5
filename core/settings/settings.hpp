#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/settings/client.hpp"
#include "core/settings/problem.hpp"
#include "core/settings/secret.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fanfare {

/// Where Kafka is. `brokers` may be "embedded": librdkafka's own mock cluster inside the
/// process, for a first try.
struct KafkaSettings {
    std::string brokers = "127.0.0.1:9092";
    std::filesystem::path embedded_address_file;  // With "embedded": its address is written here.
    std::string topic_prefix = "fanfare";  // fanfare.jobs, fanfare.chunks.<lane>, fanfare.dead
    std::string group = "fanfare-worker";
    std::int32_t partitions = 6;                // [1, 1000], per topic when we create it.
    std::map<std::string, std::string> client;  // Passed on to librdkafka (security.* and so on).
                                                // May hold passwords: never log the values.
    bool allow_insecure = false;                // They may switch checks off, or load code.
    bool tells_at_once = false;  // The broker wakes who waits for records. By open_broker().
};

struct DatabaseSettings {
    Secret url;                     // libpq conninfo or postgresql:// URL.
    std::uint32_t connections = 4;  // [1, 64]
    std::chrono::days keep{90};     // [60, 36'500] of what became of people.
};

/// Bounds of one account's use, in the provider's own unit.
struct RateSettings {
    double per_second = 0;          // In the provider's unit (docs/providers.md); 0: no limit.
    std::uint32_t concurrency = 8;  // [1, 1000] requests in flight per worker.
};

/// One provider account.
struct AccountSettings {
    std::string name;  // [a-z0-9-]{1,40}; label and bucket key.
    std::string type;  // "mailgun", "twilio", "fcm" ...
    Channel channel = Channel::email;
    std::uint32_t weight = 1;  // [0, 1000] share among the channel's accounts; 0: only when
                               // no other can.
    RateSettings rate;
    std::uint32_t batch_max = 0;                 // 0: the provider's own maximum.
    std::chrono::milliseconds timeout{10'000};   // [100, 60'000] one request, everything included.
    std::filesystem::path ca_file;               // Empty: the system's certificates.
    bool allow_http = false;                     // Loopback only, for the simulator.
    std::map<std::string, std::string> options;  // The provider's own keys, not secret.
    std::map<std::string, Secret> secrets;       // Keys written as {env: NAME} or {file: PATH}.
    std::vector<std::filesystem::path> secret_files;  // Read again when they change.
    std::string file;                                 // For messages: where it was configured ...
    int line = 0;
    std::string key;  // ... "providers[2]".
};

/// Per channel: how an audience is cut and what doubt means.
struct ChannelSettings {
    std::uint32_t chunk_recipients_max = 1000;  // [1, 10'000]
    std::uint32_t chunks_in_flight_max = 8;     // [1, 256] per worker.
    DoubtPolicy on_doubt = DoubtPolicy::hold;
};

struct WorkerSettings {
    std::array<ChannelSettings, channel_count> channels{
        {                                               // By Channel.
         {1000, 8, DoubtPolicy::reconcile},             // email
         {128, 8, DoubtPolicy::hold},                   // sms
         {200, 32, DoubtPolicy::resend}}};              // push: a collapse key hides a double
    std::chrono::milliseconds lease{60'000};            // [2'000, 600'000]
    std::uint32_t attempts_max = 5;                     // [1, 100]
    std::chrono::milliseconds backoff_first{1'000};     // [1, 600'000]
    std::chrono::milliseconds backoff_max{300'000};     // [1, 3'600'000]
    std::chrono::milliseconds sweep_interval{1'000};    // [50, 60'000]
    std::chrono::milliseconds republish_after{30'000};  // [1'000, 3'600'000]
    std::chrono::milliseconds drain_max{25'000};        // [0, 300'000]
    std::uint32_t plan_batch = 5'000;                   // [100, 100'000] recipients per fetch.
    std::uint32_t soft_bounces_max = 5;                 // [1, 100] in a row: then suppressed.
};

/// The producer's HTTP server: webhooks and unsubscribe links.
struct ServerSettings {
    std::string address = "127.0.0.1";
    std::int32_t port = -1;               // [-1, 65'535]; -1: no server, 0: any free one (logged).
    std::filesystem::path port_file;      // The port in use is written here.
    std::filesystem::path certificate;    // PEM chain and key; both or neither: plain HTTP, for
    std::filesystem::path key;            // behind a proxy.
    std::uint32_t body_max = 1 << 20;     // [1'024, 67'108'864] bytes of a request.
    std::uint32_t connections_max = 512;  // [1, 10'000]
    std::uint32_t connections_per_peer = 128;           // [0, 10'000] of one address; 0: no share.
    std::chrono::milliseconds request_timeout{10'000};  // [100, 300'000] to arrive whole.
    std::uint32_t unsubscribes_per_second = 200;        // [1, 100'000]; beyond: 429.
    bool console = true;                                // /console, where there are clients.
};

struct ProducerSettings {
    std::chrono::milliseconds poll_interval{1'000};     // [50, 60'000] due queries.
    std::chrono::seconds horizon{3'600};                // [60, 2'592'000] look-ahead.
    std::chrono::milliseconds lease{30'000};            // [1'000, 600'000]
    std::chrono::milliseconds drain_max{10'000};        // [0, 300'000]
    std::chrono::milliseconds republish_after{60'000};  // [1'000, 3'600'000]
    std::chrono::seconds republish_within{604'800};     // [60, 2'592'000]
    ServerSettings http;
    std::vector<ClientSettings> clients;  // Of the HTTP API; empty: there is none.
};

/// Metrics and health over plain HTTP, logs, and where spans go.
struct ObserveSettings {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;           // 0: any free one (logged).
    std::filesystem::path port_file;  // The port in use is written here.
    std::string log_level = "info";   // trace, debug, info, warn, error
    std::string log_format = "json";  // json, text
    bool core_dumps = false;          // They hold secrets and addresses.
    std::string otlp;                 // Base URL of a collector; "": no spans.
    double trace_ratio = 1;           // [0, 1] of the traces that begin here.
};

struct Settings {
    std::filesystem::path file;
    KafkaSettings kafka;
    DatabaseSettings database;
    WorkerSettings worker;
    ProducerSettings producer;
    ObserveSettings observe;
    std::vector<AccountSettings> accounts;
    std::array<double, channel_count> costs{0.001, 0.0075,
                                            0};     // [0, 100] a message (SMS: a segment).
    std::filesystem::path systems_dir = "systems";  // Absolute once loaded.
    std::filesystem::path templates_dir = "../templates";
    std::string callback_url;  // Public base of webhooks and unsubscribe links; "" for none.
    Secret link_key;           // Signs references and unsubscribe links; at least 32 bytes. Empty:
                               // no receipts, no links.
};

/// Reads one environment variable; nothing when unset. Passed in, so that tests own it.
using Environment = std::function<std::optional<std::string>(const std::string&)>;
[[nodiscard]] Environment process_environment();

/// "FANFARE_WORKER_LEASE_MS" for "worker.lease_ms".
[[nodiscard]] std::string environment_name(std::string_view key);

/// Reads the YAML file and the environment on top of it (FANFARE_KAFKA_BROKERS overrides
/// kafka.brokers, FANFARE_WORKER_LEASE_MS worker.lease_ms, and so on). Finds every problem
/// before it returns. Relative paths are relative to the file's folder.
[[nodiscard]] std::variant<Settings, Problems> load_settings(const std::filesystem::path& file,
                                                             const Environment& environment);

/// The same for text that is at hand; `file` says where it came from.
[[nodiscard]] std::variant<Settings, Problems> parse_settings(const std::filesystem::path& file,
                                                              std::string_view text,
                                                              const Environment& environment);

/// What a person needs to know about one key.
struct SettingDoc {
    std::string key;            // "worker.lease_ms", "accounts[].rate.per_second"
    std::string unit;           // "ms", "recipients"; "" for none.
    std::string bounds;         // "a whole number from 2000 to 600000"
    std::string default_value;  // "" when empty or without a default.
    std::string doc;            // One sentence.
};

/// Every key there is, in the order of docs/configuration.md.
[[nodiscard]] std::vector<SettingDoc> setting_docs();

}  // namespace fanfare
