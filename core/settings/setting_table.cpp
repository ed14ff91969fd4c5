#include "core/settings/setting_table.hpp"

#include "core/settings/account_reader.hpp"
#include "core/settings/client_reader.hpp"
#include "core/settings/kafka_client.hpp"

#include <fmt/format.h>

namespace fanfare {
namespace {

using Rows = std::vector<Row<Settings>>;

constexpr std::int64_t second_ms = 1'000;
constexpr std::int64_t minute_ms = 60 * second_ms;
constexpr std::int64_t hour_ms = 60 * minute_ms;

Rows kafka_rows() {
    return {
        words<Settings>(
            {"kafka.brokers", "",
             "Where Kafka is; embedded starts librdkafka's mock cluster inside the "
             "process, for a first try."},
            broker_list(), [](auto& s) -> auto& { return s.kafka.brokers; }),
        words<Settings>(
            {"kafka.embedded_address_file", "",
             "With embedded brokers, their address is written into this file."},
            plain_text(0, 4096), [](auto& s) -> auto& { return s.kafka.embedded_address_file; }),
        words<Settings>(
            {"kafka.topic_prefix", "", "First part of the name of every topic."}, topic_prefix(),
            [](auto& s) -> auto& { return s.kafka.topic_prefix; }),
        words<Settings>(
            {"kafka.group", "", "Consumer group of the workers."}, plain_text(1, 200),
            [](auto& s) -> auto& { return s.kafka.group; }),
        whole<Settings>(
            {"kafka.partitions", "partitions", "Partitions of each topic that Fanfare creates."},
            {1, 1'000}, [](auto& s) -> auto& { return s.kafka.partitions; }),
        flag<Settings>(
            {"kafka.allow_insecure", "",
             "Lets kafka.client switch checks off (certificates, host names) and load code."},
            [](auto& s) -> auto& { return s.kafka.allow_insecure; }),
    };
}

// Three rows for each channel, by the words of the domain.
Rows channel_rows() {
    Rows rows;
    for (const auto channel : channels) {
        const auto index = static_cast<std::size_t>(channel);
        const auto key = fmt::format("worker.channels.{}", to_string(channel));
        rows.push_back(whole<Settings>(
            {key + ".chunk_recipients_max", "recipients",
             "Size of one chunk: one claim, one read of contacts, one record."},
            {1, 10'000}, [index](auto& s) -> auto& {
                return s.worker.channels[index].chunk_recipients_max;
            }));
        rows.push_back(whole<Settings>(
            {key + ".chunks_in_flight_max", "chunks",
             "Chunks being sent at once, per worker; of smaller ones as many people, in at most "
             "64 or this many, and two urgent ones besides."},
            {1, 256}, [index](auto& s) -> auto& {
                return s.worker.channels[index].chunks_in_flight_max;
            }));
        const auto fallback = Settings{}.worker.channels[index].on_doubt;
        rows.push_back(choice<Settings>(
            {key + ".on_doubt", "", "hold, resend or reconcile", std::string{to_string(fallback)},
             "What happens to recipients whose answer was lost."},
            [](const std::string& word) { return parse_doubt_policy(word); },
            [index](auto& s) -> auto& { return s.worker.channels[index].on_doubt; }));
    }
    return rows;
}

Rows worker_rows() {
    return {
        whole<Settings>(
            {"worker.lease_ms", "ms",
             "How long a claimed chunk is the worker's own; longer than the longest "
             "timeout of an account."},
            {2 * second_ms, 10 * minute_ms}, [](auto& s) -> auto& { return s.worker.lease; }),
        whole<Settings>(
            {"worker.attempts_max", "attempts",
             "Attempts at one recipient before it counts as failed; others' faults cost nothing."},
            {1, 100}, [](auto& s) -> auto& { return s.worker.attempts_max; }),
        whole<Settings>(
            {"worker.backoff_first_ms", "ms", "Wait before the second attempt."},
            {1, 10 * minute_ms}, [](auto& s) -> auto& { return s.worker.backoff_first; }),
        whole<Settings>(
            {"worker.backoff_max_ms", "ms",
             "Longest wait between attempts; at least worker.backoff_first_ms."},
            {1, hour_ms}, [](auto& s) -> auto& { return s.worker.backoff_max; }),
        whole<Settings>(
            {"worker.sweep_interval_ms", "ms", "How often work that stalled is looked for."},
            {50, minute_ms}, [](auto& s) -> auto& { return s.worker.sweep_interval; }),
        whole<Settings>(
            {"worker.republish_after_ms", "ms",
             "How long a chunk may go unclaimed before a worker with room for it fetches it from "
             "the ledger."},
            {second_ms, hour_ms}, [](auto& s) -> auto& { return s.worker.republish_after; }),
        whole<Settings>(
            {"worker.drain_max_ms", "ms", "How long a stopping worker finishes what is in flight."},
            {0, 5 * minute_ms}, [](auto& s) -> auto& { return s.worker.drain_max; }),
        whole<Settings>(
            {"worker.plan_batch", "recipients", "Recipients fetched from an audience at once."},
            {100, 100'000}, [](auto& s) -> auto& { return s.worker.plan_batch; }),
        whole<Settings>(
            {"worker.soft_bounces_max", "bounces",
             "Soft bounces of an address in a row before it is suppressed."},
            {1, 100}, [](auto& s) -> auto& { return s.worker.soft_bounces_max; }),
    };
}

Rows producer_rows() {
    return {
        whole<Settings>(
            {"producer.poll_interval_ms", "ms", "How often due queries run."}, {50, minute_ms},
            [](auto& s) -> auto& { return s.producer.poll_interval; }),
        whole<Settings>(
            {"producer.horizon_s", "s", "How far ahead due queries look."}, {60, 30 * 24 * 3'600},
            [](auto& s) -> auto& { return s.producer.horizon; }),
        whole<Settings>(
            {"producer.lease_ms", "ms", "How long a claimed notification is the producer's own."},
            {second_ms, 10 * minute_ms}, [](auto& s) -> auto& { return s.producer.lease; }),
        whole<Settings>(
            {"producer.drain_max_ms", "ms",
             "How long a stopping producer waits for what is on its way to the broker."},
            {0, 5 * minute_ms}, [](auto& s) -> auto& { return s.producer.drain_max; }),
        whole<Settings>(
            {"producer.republish_after_ms", "ms",
             "How long a published job may go untaken by any worker before it is published again; "
             "each further time twice as long, up to 64 times."},
            {second_ms, hour_ms}, [](auto& s) -> auto& { return s.producer.republish_after; }),
        whole<Settings>(
            {"producer.republish_within_s", "s",
             "A job that no worker has taken is published again for so long, as long as the broker "
             "keeps its records."},
            {60, 30 * 24 * 3'600}, [](auto& s) -> auto& { return s.producer.republish_within; }),
    };
}

Rows http_rows() {
    return {
        words<Settings>(
            {"producer.http.address", "", "Where webhooks and unsubscribe links are served."},
            ip_address(), [](auto& s) -> auto& { return s.producer.http.address; }),
        whole<Settings>(
            {"producer.http.port", "",
             "Port of that server; -1 for no server, 0 for any free one."},
            {-1, 65'535}, [](auto& s) -> auto& { return s.producer.http.port; }),
        words<Settings>(
            {"producer.http.port_file", "", "The port in use is written into this file."},
            plain_text(0, 4096), [](auto& s) -> auto& { return s.producer.http.port_file; }),
        words<Settings>(
            {"producer.http.certificate", "",
             "Certificate chain as PEM, for TLS; empty for plain HTTP behind a proxy."},
            plain_text(0, 4096), [](auto& s) -> auto& { return s.producer.http.certificate; }),
        words<Settings>(
            {"producer.http.key", "", "The certificate's private key as PEM; both or neither."},
            plain_text(0, 4096), [](auto& s) -> auto& { return s.producer.http.key; }),
        whole<Settings>(
            {"producer.http.body_max", "bytes", "Largest body of a request."}, {1'024, 64 << 20},
            [](auto& s) -> auto& { return s.producer.http.body_max; }),
        whole<Settings>(
            {"producer.http.connections_max", "connections",
             "Connections at once; beyond, the one that is quiet longest makes room."},
            {1, 10'000}, [](auto& s) -> auto& { return s.producer.http.connections_max; }),
        whole<Settings>(
            {"producer.http.connections_per_peer", "connections",
             "Of them, those of one address (of IPv6: one /64); 0 behind a proxy, which is one."},
            {0, 10'000}, [](auto& s) -> auto& { return s.producer.http.connections_per_peer; }),
        whole<Settings>(
            {"producer.http.request_timeout_ms", "ms",
             "How long a request may take to arrive whole, and its answer to leave."},
            {100, 5 * minute_ms}, [](auto& s) -> auto& { return s.producer.http.request_timeout; }),
        whole<Settings>(
            {"producer.http.unsubscribes_per_second", "requests per second",
             "Requests for unsubscribe links that are served; more get 429."},
            {1, 100'000}, [](auto& s) -> auto& { return s.producer.http.unsubscribes_per_second; }),
        flag<Settings>(
            {"producer.http.console", "",
             "Serves the pages of docs/console.md at /console, to the clients of the HTTP API."},
            [](auto& s) -> auto& { return s.producer.http.console; }),
    };
}

Rows observe_rows() {
    return {
        words<Settings>(
            {"observe.address", "", "Where metrics and health are served."}, ip_address(),
            [](auto& s) -> auto& { return s.observe.address; }),
        whole<Settings>(
            {"observe.port", "", "Port of metrics and health; 0 for any free one."}, {0, 65'535},
            [](auto& s) -> auto& { return s.observe.port; }),
        words<Settings>(
            {"observe.port_file", "", "The port in use is written into this file."},
            plain_text(0, 4096), [](auto& s) -> auto& { return s.observe.port_file; }),
        words<Settings>(
            {"observe.log_level", "", "The least that is logged."},
            one_of({"trace", "debug", "info", "warn", "error"}),
            [](auto& s) -> auto& { return s.observe.log_level; }),
        words<Settings>(
            {"observe.log_format", "", "One JSON object a line, or text for people."},
            one_of({"json", "text"}), [](auto& s) -> auto& { return s.observe.log_format; }),
        flag<Settings>(
            {"observe.core_dumps", "",
             "Lets the system write the memory of a crashed program, secrets and addresses in it."},
            [](auto& s) -> auto& { return s.observe.core_dumps; }),
        words<Settings>(
            {"observe.otlp", "",
             "Base URL of an OpenTelemetry collector: spans go to its /v1/traces. Empty: none."},
            base_url_or_empty(), [](auto& s) -> auto& { return s.observe.otlp; }),
        real<Settings>(
            {"observe.trace_ratio", "",
             "Share of the traces begun here that give spans; those that come say it themselves."},
            {0, 1}, [](auto& s) -> auto& { return s.observe.trace_ratio; }),
    };
}

Rows cost_rows() {
    Rows rows;
    for (const auto channel : channels) {
        const auto index = static_cast<std::size_t>(channel);
        rows.push_back(real<Settings>(
            {fmt::format("costs.{}", to_string(channel)),
             channel == Channel::sms ? "$ per segment" : "$ per message",
             "What estimates reckon with."},
            {0, 100}, [index](auto& s) -> auto& { return s.costs[index]; }));
    }
    return rows;
}

Rows top_rows() {
    return {
        words<Settings>(
            {"systems_dir", "", "The system folders."}, plain_text(1, 4096),
            [](auto& s) -> auto& { return s.systems_dir; }),
        words<Settings>(
            {"templates_dir", "", "The templates."}, plain_text(1, 4096),
            [](auto& s) -> auto& { return s.templates_dir; }),
        words<Settings>(
            {"callback_url", "", "Public base of webhooks and unsubscribe links."},
            base_url_or_empty(), [](auto& s) -> auto& { return s.callback_url; }),
    };
}

constexpr std::size_t link_key_bytes_min = 32;

void read_database_url(Settings& settings, const YamlValue& value, const std::string& key,
                       const SecretSource& source, Report& report) {
    // An override by the environment spares the file's own source, if not its form.
    const bool overridden = source.environment(environment_name(key)).has_value();
    if (overridden && value.is_map()) return;
    const auto secret = source.read(value, key, report);
    if (!secret) return;
    if (is_database_url(*secret)) {
        settings.database.url = *secret;
    } else {
        report.add(value.line, key, not_shown, "postgresql://... or a libpq connection string");
    }
}

void read_link_key(Settings& settings, const YamlValue& value, const std::string& key,
                   const SecretSource& source, Report& report) {
    if (value.is_null()) return;
    const auto secret = source.read(value, key, report);
    if (!secret) return;
    if (secret->reveal().size() < link_key_bytes_min) {
        report.add(value.line, key, not_shown, "at least 32 bytes: openssl rand -hex 32");
    } else {
        settings.link_key = *secret;
    }
}

}  // namespace

Rows setting_rows() {
    Rows all = kafka_rows();
    all.push_back(whole<Settings>(
        {"database.connections", "connections", "Connections to the ledger, per program."}, {1, 64},
        [](auto& s) -> auto& { return s.database.connections; }));
    all.push_back(whole<Settings>(
        {"database.keep_days", "days",
         "How long the ledger keeps what became of people; see docs/operations.md."},
        {60, 36'500}, [](auto& s) -> auto& { return s.database.keep; }));
    for (auto& rows : {channel_rows(), worker_rows(), producer_rows(), http_rows(), observe_rows(),
                       cost_rows(), top_rows()}) {
        all.insert(all.end(), rows.begin(), rows.end());
    }
    return all;
}

Form<Settings> settings_form(const SecretSource& secrets) {
    Form<Settings> form;
    form.rows = setting_rows();
    form.specials.push_back(
        {{"kafka.client", "", "a map of librdkafka's keys", "",
          "Passed on to librdkafka; secrets as {env: NAME} or {file: PATH}."},
         [secrets](auto& settings, const auto& map, const auto& key, auto& report) {
             read_kafka_client(settings.kafka, map, key, secrets, report);
         }});
    form.specials.push_back(
        {{"database.url", "", std::string{secret_bounds}, "",
          "The ledger: a libpq connection string or URL. Required."},
         [secrets](auto& settings, const auto& value, const auto& key, auto& report) {
             read_database_url(settings, value, key, secrets, report);
         }});
    form.specials.push_back(
        {{"producer.clients", "", "a list of at most 1000", "",
          "Who may call the HTTP API; docs/api.md. None: there is no API."},
         [secrets](auto& settings, const auto& list, const auto& key, auto& report) {
             settings.producer.clients = read_clients(list, key, secrets, report);
         }});
    form.specials.push_back(
        {{"link_key", "", std::string{secret_bounds}, "",
          "Signs receipts' references and unsubscribe links; at least 32 bytes, the same for "
          "all programs. Without it there are neither."},
         [secrets](auto& settings, const auto& value, const auto& key, auto& report) {
             read_link_key(settings, value, key, secrets, report);
         }});
    form.specials.push_back(
        {{"accounts", "", "a list of at most 100", "", "The provider accounts."},
         [secrets](auto& settings, const auto& list, const auto& key, auto& report) {
             settings.accounts = read_accounts(list, key, secrets, report);
         }});
    return form;
}

}  // namespace fanfare
