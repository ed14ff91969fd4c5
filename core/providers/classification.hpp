#pragma once

#include "core/providers/provider.hpp"
#include "core/providers/wait_hint.hpp"

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

/// What a provider's reader found in the body (or headers) of an error answer. Only the provider
/// itself knows whether it took a call: a proxy, a load balancer or a firewall in between answers
/// with pages of its own, and some of those come after the call was passed on.
struct ErrorDocument {
    bool own = false;                  // It is the provider's: no gateway writes such a one.
    bool perhaps_taken = false;        // A 5xx with it is documented not to exclude a sending.
    std::optional<Meaning> meaning{};  // Its code's, where the provider's table has one.
};

/// What an answer other than a success means: by its code if the provider's table has it, else by
/// the status and by who speaks. The one table of all HTTP providers; transport faults included.
///
///     status             provider's own document      anybody else's
///     400 415 422        perm_req                     transient: says nothing of the message
///     413 414 431        perm_req, too large          the same: nobody passes half a request on
///     408                transient                    ambiguous: said of a slow provider too
///     411 417 421 426    config                       transient
///       428
///     425                transient                    transient
///     429                throttle                     throttle
///     303                config                       ambiguous: how forms say that they are done
///     other 3xx 4xx      config                       config where registered, else ambiguous
///     5xx                transient; ambiguous where   ambiguous
///                        documented as perhaps taken
///     2xx, no status     ambiguous                    ambiguous
///
/// A 4xx blames the request, so whoever says it did not pass the request on. `count` is that of
/// the request's messages: where they were too many bytes together, halves may pass.
[[nodiscard]] BatchAnswer classify_error(std::string_view type, const ErrorDocument& document,
                                         const HttpAnswer& answer, std::size_t count,
                                         std::int64_t now_unix);

/// True for sentences of proxies and API gateways, for providers whose error documents hold
/// nothing but a sentence: "The upstream server is timing out".
[[nodiscard]] bool speaks_of_gateway(std::string_view sentence) noexcept;

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
