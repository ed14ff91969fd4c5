#pragma once

#include "core/settings/schema.hpp"
#include "core/settings/secret_source.hpp"

#include <string>

namespace fanfare {

/// Reads the map `kafka.client`. Keys that Fanfare's guarantees rest on are refused; secrets come
/// by reference.
void read_kafka_client(KafkaSettings& kafka, const YamlValue& map, const std::string& key,
                       const SecretSource& source, Report& report);

/// Reports what in `kafka.client` switches a check off, sends a secret in clear or loads code,
/// unless `kafka.allow_insecure` says that it may.
void check_kafka_client(const KafkaSettings& kafka, const YamlValue& root, Report& report);

}  // namespace fanfare
