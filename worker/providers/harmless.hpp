#pragma once

#include "core/http/exchange.hpp"
#include "core/settings/settings.hpp"

#include <optional>

namespace fanfare {

/// A request that changes and sends nothing, and that a provider answers only to whom it knows:
/// 401 or 403 is a refusal of the credentials, 2xx is none, anything else tells nothing of them.
/// Nothing where the vendor documents no such call, and for accounts that are not sound. Where
/// access tokens are fetched, fetching one is that call: see Provider::credential_exchange().
[[nodiscard]] std::optional<HttpRequest> harmless_call(const AccountSettings& account);

}  // namespace fanfare
