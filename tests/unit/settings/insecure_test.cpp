#include "support.hpp"

#include <fmt/format.h>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsProblem;
using testing::ledger_environment;
using testing::problems_of;

Problems problems_in(std::string_view text, const Environment& environment = ledger_environment()) {
    return problems_of(parse_settings("conf/fanfare.yaml", text, environment));
}

TEST(Settings, LetKafkaBeInsecureOnlyWhenTheySaySo) {
    const std::pair<const char*, const char*> dangers[]{
        {"enable.ssl.certificate.verification", "False"},
        {"ssl.endpoint.identification.algorithm", "none"},
        {"plugin.library.paths", "/tmp/x.so"},
        {"ssl.engine.location", "/tmp/x.so"},
        {"sasl.kerberos.kinit.cmd", "sh -c x"},
        {"enable.sasl.oauthbearer.unsecure.jwt", "t"},
        {"ssl.cipher.suites", "HIGH:aNULL"},
        {"ssl.cipher.suites", "'DEFAULT@SECLEVEL=0'"},
        {"sasl.oauthbearer.token.endpoint.url", "http://login.example.com/token"}};
    for (const auto& [key, value] : dangers) {
        const auto text = fmt::format("kafka:\n  client:\n    {}: {}\n", key, value);
        const auto found = problems_in(text);
        ASSERT_EQ(found.size(), 1U) << key;
        EXPECT_EQ(found[0].line, 3);
        EXPECT_EQ(found[0].key, fmt::format("kafka.client.{}", key));
        EXPECT_THAT(found[0].expected, HasSubstr("kafka.allow_insecure: true"));
        EXPECT_THAT(problems_in(text + "  allow_insecure: true\n"), IsEmpty()) << key;
        EXPECT_THAT(
            problems_in(text, ledger_environment({{"FANFARE_KAFKA_ALLOW_INSECURE", "true"}})),
            IsEmpty());
    }
    EXPECT_THAT(problems_in("kafka:\n  client:\n    enable.ssl.certificate.verification: true\n"
                            "    ssl.endpoint.identification.algorithm: https\n"
                            "    ssl.cipher.suites: HIGH:!aNULL:!RC4\n"
                            "    plugin.library.paths: \"\"\n"),
                IsEmpty());
}

TEST(Settings, SendKafkasPasswordInClearToNoOtherMachine) {
    const auto with = [](const char* brokers, const char* protocol, const char* mechanism) {
        return problems_in(
            fmt::format("kafka:\n  brokers: {}\n  client:\n    security.protocol: {}\n"
                        "    sasl.mechanism: {}\n",
                        brokers, protocol, mechanism));
    };
    EXPECT_THAT(
        with("kafka:9092", "SASL_PLAINTEXT", "PLAIN"),
        ElementsAre(IsProblem(4, "kafka.client.security.protocol", "SASL_PLAINTEXT", "in clear")));
    EXPECT_THAT(with("127.0.0.1:9092,kafka:9092", "sasl_plaintext", "OAUTHBEARER").size(), 1U);
    for (const auto* others : {"127.0.0.1.example.com:1", "localhost.example.com:1",
                               "127.example:1", "localhost,localhosts:1", "127.0.0.1.2:1"}) {
        EXPECT_EQ(with(others, "sasl_plaintext", "PLAIN").size(), 1U) << others;
    }
    EXPECT_THAT(with("'127.1.2.3:1,[::1]:1'", "sasl_plaintext", "PLAIN"), IsEmpty());
    EXPECT_THAT(with("kafka:9092", "sasl_ssl", "PLAIN"), IsEmpty());
    EXPECT_THAT(with("kafka:9092", "sasl_plaintext", "SCRAM-SHA-512"), IsEmpty());
    EXPECT_THAT(with("127.0.0.1:9092,localhost:9093", "sasl_plaintext", "PLAIN"), IsEmpty());
}

TEST(Settings, TakeAPublicAddressThatEverybodyReadsAlike) {
    for (const auto* url : {"https://hooks.example.com", "https://a.example/x/",
                            "http://127.0.0.1:1", "http://localhost", "http://[::1]:8080", ""}) {
        EXPECT_THAT(problems_in(fmt::format("callback_url: '{}'\n", url)), IsEmpty()) << url;
    }
    for (const auto* url :
         {"http://example.com", "http://127.0.0.1.example.com", "http://localhost.example.com",
          "https://u@example.com", "https://example.com/?a", "https://example.com/#a", "https://",
          "ftp://example.com", "//example.com", "https://example.com:0", "https://exa mple.com",
          "javascript:x"}) {
        EXPECT_EQ(problems_in(fmt::format("callback_url: '{}'\n", url)).size(), 1U) << url;
    }
}

}  // namespace
}  // namespace fanfare
