#include "support.hpp"

#include <fmt/format.h>

#include <set>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using testing::environment_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsProblem;
using testing::ledger_environment;
using ::testing::Not;
using testing::problems_of;
using namespace std::chrono_literals;

Problems problems_in(std::string_view text, const Environment& environment = ledger_environment()) {
    return problems_of(parse_settings("conf/fanfare.yaml", text, environment));
}

Settings settings_in(std::string_view text, const Environment& environment = ledger_environment()) {
    auto loaded = parse_settings("conf/fanfare.yaml", text, environment);
    for (const auto& problem : problems_of(loaded)) ADD_FAILURE() << describe(problem);
    const auto* const settings = std::get_if<Settings>(&loaded);
    return settings == nullptr ? Settings{} : *settings;
}

// "a.b.c" and a value as nested YAML.
std::string nested(std::string_view key, std::string_view value) {
    std::string text;
    std::string indent;
    while (true) {
        const auto dot = key.find('.');
        text += fmt::format("{}{}:", indent, key.substr(0, dot));
        if (dot == std::string_view::npos) return text + fmt::format(" {}\n", value);
        text += '\n';
        indent += "  ";
        key.remove_prefix(dot + 1);
    }
}

struct Bound {
    std::string key;
    std::int64_t min;
    std::int64_t max;
};

// Written down a second time on purpose: a bound that moves by accident fails here.
const std::vector<Bound> bounds{
    {"kafka.partitions", 1, 1'000},
    {"database.connections", 1, 64},
    {"database.keep_days", 60, 36'500},
    {"worker.channels.email.chunk_recipients_max", 1, 10'000},
    {"worker.channels.email.chunks_in_flight_max", 1, 256},
    {"worker.channels.sms.chunk_recipients_max", 1, 10'000},
    {"worker.channels.sms.chunks_in_flight_max", 1, 256},
    {"worker.channels.push.chunk_recipients_max", 1, 10'000},
    {"worker.channels.push.chunks_in_flight_max", 1, 256},
    {"worker.lease_ms", 2'000, 600'000},
    {"worker.attempts_max", 1, 100},
    {"worker.backoff_first_ms", 1, 600'000},
    {"worker.backoff_max_ms", 1, 3'600'000},
    {"worker.sweep_interval_ms", 50, 60'000},
    {"worker.republish_after_ms", 1'000, 3'600'000},
    {"worker.drain_max_ms", 0, 300'000},
    {"worker.plan_batch", 100, 100'000},
    {"worker.soft_bounces_max", 1, 100},
    {"producer.poll_interval_ms", 50, 60'000},
    {"producer.horizon_s", 60, 2'592'000},
    {"producer.lease_ms", 1'000, 600'000},
    {"producer.drain_max_ms", 0, 300'000},
    {"producer.republish_after_ms", 1'000, 3'600'000},
    {"producer.republish_within_s", 60, 2'592'000},
    {"producer.http.port", -1, 65'535},
    {"producer.http.body_max", 1'024, 67'108'864},
    {"producer.http.connections_max", 1, 10'000},
    {"producer.http.connections_per_peer", 0, 10'000},
    {"producer.http.request_timeout_ms", 100, 300'000},
    {"producer.http.unsubscribes_per_second", 1, 100'000},
    {"observe.port", 0, 65'535},
};

TEST(Settings, RefuseEveryNumberJustOutsideItsBounds) {
    for (const auto& [key, min, max] : bounds) {
        for (const auto value : {min - 1, max + 1}) {
            const auto found = problems_in(nested(key, std::to_string(value)));
            ASSERT_FALSE(found.empty()) << key << " = " << value;
            EXPECT_EQ(found[0].key, key);
            EXPECT_EQ(found[0].value, std::to_string(value));
            EXPECT_EQ(found[0].expected, fmt::format("a whole number from {} to {}", min, max));
            EXPECT_EQ(found[0].file, "conf/fanfare.yaml");
            EXPECT_EQ(found[0].line, std::count(key.begin(), key.end(), '.') + 1) << key;
        }
    }
}

TEST(Settings, TakeEveryNumberAtItsBounds) {
    for (const auto& [key, min, max] : bounds) {
        for (const auto value : {min, max}) {
            // Against each other these two have an order, which is tested below.
            if (key.starts_with("worker.backoff")) continue;
            EXPECT_THAT(problems_in(nested(key, std::to_string(value))), IsEmpty()) << key << value;
        }
    }
    EXPECT_THAT(problems_in("worker: {backoff_first_ms: 1, backoff_max_ms: 1}"), IsEmpty());
    EXPECT_THAT(problems_in("worker: {backoff_first_ms: 600000, backoff_max_ms: 3600000}"),
                IsEmpty());
}

TEST(Settings, HaveABoundTestForEveryNumber) {
    std::set<std::string> tested;
    for (const auto& bound : bounds) tested.insert(bound.key);
    for (const auto& doc : setting_docs()) {
        const bool number = doc.bounds.starts_with("a whole number");
        if (doc.key.starts_with("accounts[]")) continue;          // account_test.cpp
        if (doc.key.starts_with("producer.clients[]")) continue;  // client_test.cpp
        EXPECT_EQ(number, tested.contains(doc.key)) << doc.key;
    }
}

struct Misfit {
    std::string key;
    std::string value;
};
TEST(Settings, RefuseWhatHasTheWrongForm) {
    const std::vector<Misfit> misfits{
        {"worker.plan_batch", "many"},
        {"worker.plan_batch", "1.5e3"},
        {"worker.plan_batch", "5_000"},
        {"worker.plan_batch", "0x100"},
        {"worker.plan_batch", "99999999999999999999"},
        {"worker.plan_batch", "\"5000\""},
        {"worker.plan_batch", "[5000]"},
        {"worker.plan_batch", "{a: 1}"},
        {"worker.plan_batch", "~"},
        {"worker.plan_batch", ""},
        {"worker.plan_batch", "--5"},
        {"worker.channels.sms.on_doubt", "guess"},
        {"worker.channels.sms.on_doubt", "[hold]"},
        {"kafka.brokers", "\"\""},
        {"kafka.brokers", "\"a b\""},
        {"kafka.brokers", "\"a:0\""},
        {"kafka.brokers", "\"a:65536\""},
        {"kafka.brokers", "\"a:1,\""},
        {"kafka.brokers", "\"http://a\""},
        {"kafka.brokers", "embedded,a:1"},
        {"kafka.topic_prefix", "\"\""},
        {"kafka.topic_prefix", "fan/fare"},
        {"kafka.topic_prefix", std::string(201, 'a')},
        {"kafka.group", "\"\""},
        {"kafka.group", std::string(201, 'a')},
        {"kafka.group", "\"a\\tb\""},
        {"observe.address", "localhost"},
        {"observe.address", "127.0.0.256"},
        {"observe.log_level", "loud"},
        {"observe.log_format", "xml"},
        {"systems_dir", "\"\""},
        {"templates_dir", "\"\""},
        {"templates_dir", "\"a\\0b\""},
        {"callback_url", "example.com"},
        {"callback_url", "http://example.com"},
        {"callback_url", "https://user@example.com"},
        {"callback_url", "\"https://\""},
        {"callback_url", "https://example.com?a=b"},
        {"callback_url", "\"https://example.com#a\""},
        {"callback_url", "ftp://example.com"},
        {"callback_url", "'https://example.com\\a'"},
    };
    for (const auto& [key, value] : misfits) {
        const auto found = problems_in(nested(key, value));
        ASSERT_EQ(found.size(), 1U) << key << " = " << value;
        EXPECT_EQ(found[0].key, key);
        EXPECT_FALSE(found[0].expected.empty());
        EXPECT_THAT(describe(found[0]), HasSubstr("conf/fanfare.yaml:"));
    }
}

TEST(Settings, TakeWhatFits) {
    const std::vector<Misfit> fits{
        {"kafka.brokers", "embedded"},
        {"kafka.brokers", "a:1,b-1.example:65535"},
        {"kafka.brokers", "\"[::1]:9092\""},
        {"kafka.brokers", "kafka"},
        {"kafka.topic_prefix", std::string(200, 'a')},
        {"kafka.group", std::string(200, 'a')},
        {"worker.channels.email.on_doubt", "hold"},
        {"observe.address", "\"::1\""},
        {"observe.log_level", "trace"},
        {"callback_url", "https://example.com/fanfare"},
        {"callback_url", "http://127.0.0.1:8080"},
        {"callback_url", "\"\""},
    };
    for (const auto& [key, value] : fits) {
        EXPECT_THAT(problems_in(nested(key, value)), IsEmpty()) << key << " = " << value;
    }
}

TEST(Settings, HaveTheDefaultsOfEachChannel) {
    const auto worker = settings_in("").worker;
    const auto& email = worker.channels[0];
    const auto& sms = worker.channels[1];
    const auto& push = worker.channels[2];
    EXPECT_EQ(email.chunk_recipients_max, 1000U);
    EXPECT_EQ(email.chunks_in_flight_max, 8U);
    EXPECT_EQ(email.on_doubt, DoubtPolicy::reconcile);
    EXPECT_EQ(sms.chunk_recipients_max, 128U);
    EXPECT_EQ(sms.chunks_in_flight_max, 8U);
    EXPECT_EQ(sms.on_doubt, DoubtPolicy::hold);
    EXPECT_EQ(push.chunk_recipients_max, 200U);
    EXPECT_EQ(push.chunks_in_flight_max, 32U);
    EXPECT_EQ(push.on_doubt, DoubtPolicy::resend);
}

TEST(Settings, GoWhereTheyBelong) {
    const auto settings = settings_in(
        "worker: {channels: {sms: {chunk_recipients_max: 7}}, lease_ms: 30000}\n"
        "producer: {horizon_s: 120}\nobserve: {port: 9100}\nsystems_dir: s\n");
    EXPECT_EQ(settings.worker.channels[1].chunk_recipients_max, 7U);
    EXPECT_EQ(settings.worker.lease, 30s);
    EXPECT_EQ(settings.producer.horizon, 120s);
    EXPECT_EQ(settings.observe.port, 9100);
    EXPECT_EQ(settings.systems_dir, std::filesystem::current_path() / "conf/s");
    EXPECT_EQ(settings.templates_dir, std::filesystem::current_path() / "templates");
    EXPECT_EQ(settings.observe.port_file, "") << "an empty path stays empty";
}

TEST(Settings, FindEveryProblemAtOnce) {
    EXPECT_THAT(
        problems_in("kafka:\n  partitions: 0\n  broker: a:1\nworker:\n  leese_ms: 5\n"
                    "  plan_batch: x\n  plan_batch: 200\nobserve: 5\nextra: {a: {b: 1}}\n"),
        ElementsAre(
            IsProblem(7, "worker.plan_batch", "(repeated key)", "line 6"),
            IsProblem(2, "kafka.partitions", "0", "from 1 to 1000"),
            IsProblem(3, "kafka.broker", "(unknown key)", "did you mean kafka.brokers?"),
            IsProblem(5, "worker.leese_ms", "(unknown key)", "did you mean worker.lease_ms?"),
            IsProblem(6, "worker.plan_batch", "x", "from 100 to 100000"),
            IsProblem(8, "observe", "5", "a map"),
            IsProblem(9, "extra", "(unknown key)", "a known key")));
}

TEST(Settings, RefuseDottedKeys) {
    EXPECT_THAT(problems_in("worker.lease_ms: 5000\n"),
                ElementsAre(IsProblem(1, "worker.lease_ms", "(unknown key)", "worker.lease_ms")));
}

TEST(Settings, AreOverriddenByTheEnvironment) {
    const auto settings =
        settings_in("kafka: {brokers: a:1}\n",
                    ledger_environment({{"FANFARE_KAFKA_BROKERS", "b:2"},
                                        {"FANFARE_WORKER_LEASE_MS", "20000"},
                                        {"FANFARE_WORKER_CHANNELS_EMAIL_ON_DOUBT", "hold"}}));
    EXPECT_EQ(settings.kafka.brokers, "b:2");
    EXPECT_EQ(settings.worker.lease, 20s);
    EXPECT_EQ(settings.worker.channels[0].on_doubt, DoubtPolicy::hold);
}

TEST(Settings, ReadAnOverrideForEveryScalar) {
    for (const auto& doc : setting_docs()) {
        const bool nested_form = doc.key == "accounts" || doc.key == "kafka.client" ||
                                 doc.key == "link_key" || doc.key.starts_with("producer.clients");
        if (doc.key.starts_with("accounts[]") || nested_form) continue;
        const auto name = environment_name(doc.key);
        const auto found = problems_in("", ledger_environment({{name, std::string("\x01\0", 2)}}));
        if (doc.key == "database.url") continue;  // ledger_environment() has it; see below.
        ASSERT_EQ(found.size(), 1U) << name;
        EXPECT_EQ(found[0].file, "environment " + name);
        EXPECT_EQ(found[0].line, 0);
        EXPECT_EQ(found[0].key, doc.key);
        EXPECT_FALSE(found[0].value.empty());
        EXPECT_EQ(found[0].expected, doc.bounds);
    }
}

TEST(Settings, KeepAnOrderAmongThemselves) {
    EXPECT_THAT(problems_in("worker:\n  backoff_first_ms: 500\n  backoff_max_ms: 499\n"),
                ElementsAre(IsProblem(3, "worker.backoff_max_ms", "499", "which is 500")));
    EXPECT_THAT(
        problems_in("worker: {lease_ms: 5000}\n"
                    "accounts: [{name: a, type: fcm, timeout_ms: 5000}]\n"),
        ElementsAre(IsProblem(1, "worker.lease_ms", "5000", "more than accounts[0].timeout_ms")));
    EXPECT_THAT(problems_in("worker: {lease_ms: 5001}\n"
                            "accounts: [{name: a, type: fcm, timeout_ms: 5000}]\n"),
                IsEmpty());
}

TEST(Settings, TakeACertificateOnlyWithItsKey) {
    EXPECT_THAT(problems_in("producer: {http: {certificate: a.pem}}"),
                ElementsAre(IsProblem(0, "producer.http.key", R"("")", "together with")));
    EXPECT_THAT(problems_in("producer: {http: {certificate: a.pem, key: b.pem}}"), IsEmpty());
    EXPECT_EQ(settings_in("producer: {http: {key: b.pem, certificate: c}}").producer.http.key,
              std::filesystem::absolute("conf/b.pem"));
}

TEST(Settings, PassOnWhatLibrdkafkaKnows) {
    const auto settings = settings_in(
        "kafka:\n  client:\n    security.protocol: sasl_ssl\n    linger.ms: 5\n"
        "    sasl.password: {env: KAFKA_PASSWORD}\n",
        ledger_environment({{"KAFKA_PASSWORD", "hush"}}));
    EXPECT_EQ(settings.kafka.client.at("security.protocol"), "sasl_ssl");
    EXPECT_EQ(settings.kafka.client.at("linger.ms"), "5");
    EXPECT_EQ(settings.kafka.client.at("sasl.password"), "hush");
}

TEST(Settings, KeepTheKeysThatGuaranteesRestOn) {
    for (const auto* key :
         {"bootstrap.servers", "enable.auto.commit", "enable.auto.offset.store",
          "auto.offset.reset", "enable.idempotence", "partition.assignment.strategy", "group.id",
          "test.mock.num.brokers", "metadata.broker.list", "group.instance.id", "acks",
          "request.required.acks", "max.in.flight", "max.in.flight.requests.per.connection"}) {
        EXPECT_THAT(
            problems_in(fmt::format("kafka:\n  client:\n    {}: x\n", key)),
            ElementsAre(IsProblem(3, fmt::format("kafka.client.{}", key), "x", "no such key")));
    }
    for (const auto* key :
         {"sasl.password", "ssl.key.password", "ssl.key.pem", "sasl.oauthbearer.client.secret",
          "ssl.keystore.password", "sasl.oauthbearer.config"}) {
        const auto found = problems_in(fmt::format("kafka:\n  client:\n    {}: hush\n", key));
        ASSERT_EQ(found.size(), 1U) << key;
        EXPECT_THAT(describe(found[0]), Not(HasSubstr("hush")));
    }
}

TEST(Settings, AreNotThereWithoutTheFile) {
    const auto found =
        problems_of(load_settings("/nonexistent/fanfare.yaml", ledger_environment()));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].file, "/nonexistent/fanfare.yaml");
    EXPECT_EQ(found[0].expected, "a readable file");
}

TEST(Problem, IsOneSentence) {
    EXPECT_EQ(describe({"f.yaml", 12, "worker.plan_batch", "0", "a whole number"}),
              "f.yaml:12: worker.plan_batch = 0: expected a whole number");
    EXPECT_EQ(describe({"f.yaml", 0, "database.url", "", "{env: NAME}"}),
              "f.yaml: database.url is missing: expected {env: NAME}");
    EXPECT_EQ(describe({"f.yaml", 3, "(document)", "(not readable)", "valid YAML: x", 7}),
              "f.yaml:3:7: (document) = (not readable): expected valid YAML: x");
}

TEST(Problem, CannotBeginALineOfItsOwn) {
    EXPECT_EQ(describe({"f.yaml", 1, "a\x1b[2J", "b\nc", "d\xE2\x80\xAE"}),
              "f.yaml:1: a?[2J = b?c: expected d?");
}

}  // namespace
}  // namespace fanfare
