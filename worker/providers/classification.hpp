#pragma once

#include "worker/providers/provider.hpp"
#include "worker/providers/wait_hint.hpp"

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

/// The steps that reading an answer has in common for all providers. All are pure and
/// total; every `detail` is built from our own words and numbers, because the provider's
/// words may repeat an address.
namespace fanfare {

/// What one documented error means.
struct Meaning {
    Verdict verdict;
    Reason reason;
    std::string_view words;             // For `detail`: "to is not valid".
    std::chrono::milliseconds wait{0};  // Least wait where the answer names none.
};

/// "<type> <status>: <words>" with the meaning's verdict; waits as told, else as meant.
[[nodiscard]] BatchAnswer as_answer(std::string_view type, const Meaning& meaning,
                                    const HttpAnswer& answer, std::int64_t now_unix);

/// The verdict on an exchange that brought no complete answer; nothing if it did.
[[nodiscard]] std::optional<BatchAnswer> transport_fault(std::string_view type,
                                                         const HttpAnswer& answer);

/// Taken by the provider under `provider_id`.
[[nodiscard]] BatchAnswer accepted(std::string provider_id);

/// A 2xx whose body we cannot read: perhaps taken, perhaps a proxy's page.
[[nodiscard]] BatchAnswer unreadable(std::string_view type, int status);

[[nodiscard]] constexpr bool is_success(int status) noexcept {
    return status >= 200 && status <= 299;
}

/// Parses a JSON object into `out`, on the storage `out` was made with. False for
/// anything else; never throws.
[[nodiscard]] bool parse_object(std::string_view body, boost::json::value& out);

/// The string under `key`; "" where there is none. Views into `object`.
[[nodiscard]] std::string_view string_at(const boost::json::object& object, std::string_view key);

/// True for 1 to 200 visible ASCII bytes: what the ledger takes as a provider's id.
[[nodiscard]] bool is_storable_id(std::string_view id) noexcept;

/// True when `text` holds `words` (lower case), whatever the case in `text`.
[[nodiscard]] bool mentions(std::string_view text, std::string_view words) noexcept;

}  // namespace fanfare
