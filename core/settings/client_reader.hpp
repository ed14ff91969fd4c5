#pragma once

#include "core/settings/client.hpp"
#include "core/settings/schema.hpp"
#include "core/settings/secret_source.hpp"

#include <string>
#include <vector>

namespace fanfare {

/// The keys of one entry of `producer.clients`.
[[nodiscard]] Form<ClientSettings> client_form(const SecretSource& secrets);

/// Reads the list `producer.clients`: name, token and scopes present, names and tokens distinct.
[[nodiscard]] std::vector<ClientSettings> read_clients(const YamlValue& list,
                                                       const std::string& key,
                                                       const SecretSource& secrets, Report& report);

}  // namespace fanfare
