#pragma once

#include "core/settings/schema.hpp"
#include "core/settings/secret_source.hpp"

#include <string>
#include <vector>

namespace fanfare {

/// One row per setting, in the order of docs/configuration.md. To add a setting: one
/// member in settings.hpp, one row here; file, environment, bounds and documentation
/// follow.
[[nodiscard]] std::vector<Row<Settings>> setting_rows();

/// The rows, and the keys that are no scalars: database.url, kafka.client, accounts.
[[nodiscard]] Form<Settings> settings_form(const SecretSource& secrets);

}  // namespace fanfare
