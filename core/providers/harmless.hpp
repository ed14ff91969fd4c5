#pragma once

#include "core/clock/clock.hpp"
#include "core/http/exchange.hpp"
#include "core/settings/settings.hpp"

#include <optional>
#include <string>

namespace fanfare {

/// A request that changes and sends nothing, and whose answer proves that the provider takes the
/// account's credentials: see proof_of(). Nothing where the vendor documents no such call, and for
/// accounts that are not sound. Where access tokens are fetched, fetching one is that call: see
/// Provider::credential_exchange().
[[nodiscard]] std::optional<HttpRequest> harmless_call(const AccountSettings& account,
                                                       const Clock& clock = system_clock());

/// What the answer to a harmless call says.
enum class Proof : std::uint8_t {
    well,         // The credentials are taken.
    unreachable,  // No answer came.
    refused,      // The credentials are not taken.
    clock,        // They are signed at the wrong time.
    unknown,      // No such account, domain or topic.
    may_not,      // The credentials are taken, and may not do what is asked.
    unclear,      // Nothing of the credentials.
};
struct Proven {
    Proof proof = Proof::unclear;
    std::string what;  // The provider's code or status; for people.
};
/// Total: any bytes give a proof. Only what a provider grants, or says of something else once it
/// has taken the credentials, counts as well.
[[nodiscard]] Proven proof_of(const AccountSettings& account, const HttpAnswer& answer);

}  // namespace fanfare
