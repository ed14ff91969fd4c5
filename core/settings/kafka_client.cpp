#include "core/settings/kafka_client.hpp"

#include "core/domain/this_machine.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace fanfare {
namespace {

// What Fanfare's guarantees rest on is not for the file to change.
constexpr std::array<std::string_view, 14> owned_keys{"bootstrap.servers",
                                                      "metadata.broker.list",
                                                      "enable.auto.commit",
                                                      "enable.auto.offset.store",
                                                      "auto.offset.reset",
                                                      "enable.idempotence",
                                                      "batch.size",
                                                      "acks",
                                                      "request.required.acks",
                                                      "max.in.flight",
                                                      "max.in.flight.requests.per.connection",
                                                      "partition.assignment.strategy",
                                                      "group.id",
                                                      "group.instance.id"};

// Whatever stands there, code of somebody else runs in this process.
constexpr std::array<std::string_view, 4> code_keys{"plugin.library.paths", "ssl.engine.location",
                                                    "ssl.providers", "sasl.kerberos.kinit.cmd"};

bool is_secret(std::string_view name) {
    return name.ends_with("password") || name.ends_with(".pem") || name.ends_with("secret") ||
           name == "sasl.oauthbearer.config";
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

bool contains(const auto& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

bool is_weak_cipher_list(std::string_view value) {
    constexpr std::array<std::string_view, 7> weak{"null", "adh",        "aecdh", "anon",
                                                   "exp",  "seclevel=0", "rc4"};
    return std::any_of(weak.begin(), weak.end(), [value](std::string_view word) {
        const auto at = value.find(word);
        // "!aNULL" and "-RC4" leave them out.
        const auto begin = at == std::string_view::npos ? at : value.find_last_of(":, ", at);
        const auto item = begin == std::string_view::npos ? 0 : begin + 1;
        return at != std::string_view::npos && value[item] != '!' && value[item] != '-';
    });
}

/// What a key opens; "" for nothing.
std::string_view find_danger(std::string_view name, std::string_view value) {
    if (contains(code_keys, name)) return "runs code from outside";
    if (name == "enable.ssl.certificate.verification" &&
        (value == "false" || value == "f" || value == "0")) {
        return "takes any certificate";
    }
    if (name == "ssl.endpoint.identification.algorithm" && value == "none") {
        return "takes a certificate of any host";
    }
    if (name == "enable.sasl.oauthbearer.unsecure.jwt" &&
        (value == "true" || value == "t" || value == "1")) {
        return "logs in with tokens that nobody signed";
    }
    if (name == "ssl.cipher.suites" && is_weak_cipher_list(value)) {
        return "allows ciphers that hide nothing or that anybody can break";
    }
    if (name == "sasl.oauthbearer.token.endpoint.url" && value.starts_with("http:")) {
        return "sends the client's secret in clear";
    }
    return {};
}

bool is_here(std::string_view brokers) {
    if (brokers == "embedded") return true;
    while (true) {
        const auto comma = brokers.find(',');
        if (!is_authority_here(brokers.substr(0, comma))) return false;
        if (comma == std::string_view::npos) return true;
        brokers.remove_prefix(comma + 1);
    }
}

/// A password or a bearer token that passes through the network as it is.
bool sends_login_in_clear(const KafkaSettings& kafka) {
    const auto value = [&kafka](const std::string& name) {
        const auto found = kafka.client.find(name);
        return found == kafka.client.end() ? std::string{} : lower(found->second);
    };
    const auto mechanism = value("sasl.mechanisms") + value("sasl.mechanism");
    return value("security.protocol") == "sasl_plaintext" &&
           (mechanism == "plain" || mechanism == "oauthbearer") && !is_here(kafka.brokers);
}

/// The value as it is value_written; null where there is none.
const YamlValue* value_written(const YamlValue& root, std::string_view name) {
    const auto* const section = root.find("kafka");
    const auto* const client = section == nullptr ? nullptr : section->find("client");
    return client == nullptr ? nullptr : client->find(name);
}

}  // namespace

void read_kafka_client(KafkaSettings& kafka, const YamlValue& map, const std::string& key,
                       const SecretSource& source, Report& report) {
    if (map.is_null() || !expect_map(map, key, report)) return;
    for (std::size_t i = 0; i < map.items.size(); ++i) {
        const auto& name = map.keys[i].text;
        const auto& value = map.items[i];
        const auto full = join_key(key, name);
        const bool owned = contains(owned_keys, name);
        if (owned || name.starts_with("test.")) {
            report.add(map.keys[i].line, full, is_secret(name) ? not_shown : value.shown(),
                       owned ? "no such key: Fanfare sets it itself"
                             : "no such key: test settings of librdkafka are not passed on");
        } else if (value.is_map() || is_secret(name)) {
            if (const auto secret = source.read(value, full, report)) {
                kafka.client[name] = secret->reveal();
            }
        } else if (const auto* text = expect_text(value, full, plain_text(0, 4096), report)) {
            kafka.client[name] = *text;
        }
    }
}

void check_kafka_client(const KafkaSettings& kafka, const YamlValue& root, Report& report) {
    if (kafka.allow_insecure) return;
    const auto refuse = [&](const std::string& name, std::string_view danger) {
        const auto* const value = value_written(root, name);
        const bool may_show = value != nullptr && value->is_scalar() && !is_secret(name);
        report.add(value == nullptr ? 0 : value->line, join_key("kafka.client", name),
                   may_show ? std::string_view{value->text} : not_shown,
                   std::string{"another value or none: it "}.append(danger).append(
                       "; kafka.allow_insecure: true allows it all the same"));
    };
    for (const auto& [name, value] : kafka.client) {
        const auto danger = find_danger(name, lower(value));
        if (!danger.empty() && !value.empty()) refuse(name, danger);
    }
    if (sends_login_in_clear(kafka)) {
        refuse("security.protocol", "sends the login in clear to another machine");
    }
}

}  // namespace fanfare
