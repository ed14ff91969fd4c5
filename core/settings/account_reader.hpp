#pragma once

#include "core/settings/schema.hpp"
#include "core/settings/secret_source.hpp"

#include <string>
#include <vector>

namespace fanfare {

/// The keys of one entry of `accounts`. What the provider needs in `options` and
/// `secrets` is the provider's own business.
[[nodiscard]] Form<AccountSettings> account_form(const SecretSource& secrets);

/// Reads the list `accounts`: every entry by its form, names and types present, names
/// distinct, the channel of each known.
[[nodiscard]] std::vector<AccountSettings> read_accounts(const YamlValue& list,
                                                         const std::string& key,
                                                         const SecretSource& secrets,
                                                         Report& report);

}  // namespace fanfare
