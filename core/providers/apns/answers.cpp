#include "core/providers/apns/apns.hpp"
#include "core/providers/classification.hpp"

#include <boost/json/monotonic_resource.hpp>

#include <algorithm>
#include <array>

namespace fanfare::apns {
namespace {

using std::chrono::minutes;

struct ReasonMeaning {
    std::string_view reason;
    Meaning meaning;
};

constexpr ReasonMeaning bad_token(std::string_view reason) {
    return {reason, {Verdict::suppress, Reason::address_invalid, reason}};
}
constexpr ReasonMeaning cannot_serve(std::string_view reason) {
    return {reason, {Verdict::perm_rcpt, Reason::recipient_refused, reason}};
}
constexpr ReasonMeaning bad_request(std::string_view reason) {
    return {reason, {Verdict::perm_req, Reason::request_refused, reason}};
}
constexpr ReasonMeaning bad_account(std::string_view reason) {
    return {reason, {Verdict::config, Reason::account_unusable, reason}};
}
constexpr ReasonMeaning outage(std::string_view reason) {
    return {reason, {Verdict::transient, Reason::provider_unavailable, reason}};
}

constexpr std::string_view stale_token = "ExpiredProviderToken";
constexpr std::string_view too_often = "TooManyRequests";

/// Sorted by reason.
constexpr std::array meanings{
    bad_account("BadCertificate"),
    bad_account("BadCertificateEnvironment"),
    bad_request("BadCollapseId"),
    bad_token("BadDeviceToken"),
    bad_account("BadEnvironmentKeyIdInToken"),
    bad_account("BadEnvironmentKeyInToken"),  // As the service has been seen to spell it.
    bad_request("BadExpirationDate"),
    bad_request("BadMessageId"),
    cannot_serve("BadPath"),  // Our path is right but for the token in it.
    bad_request("BadPriority"),
    bad_account("BadTopic"),
    bad_token("DeviceTokenNotForTopic"),
    bad_request("DuplicateHeaders"),
    bad_account(stale_token),
    bad_token("ExpiredToken"),
    bad_account("Forbidden"),
    outage("IdleTimeout"),
    outage("InternalServerError"),
    bad_account("InvalidProviderToken"),
    bad_request("InvalidPushType"),
    bad_account("MethodNotAllowed"),
    cannot_serve("MissingDeviceToken"),
    bad_account("MissingProviderToken"),
    bad_account("MissingTopic"),
    bad_request("PayloadEmpty"),
    ReasonMeaning{"PayloadTooLarge",
                  {Verdict::perm_req, Reason::content_too_large, "PayloadTooLarge"}},
    outage("ServiceUnavailable"),
    outage("Shutdown"),
    bad_account("TooManyProviderTokenUpdates"),
    ReasonMeaning{too_often, {Verdict::throttle, Reason::throttled, too_often, minutes{1}}},
    bad_account("TopicDisallowed"),
    bad_token("Unregistered"),
    bad_account("UnrelatedKeyIdInToken"),
};

constexpr bool is_before(const ReasonMeaning& a, const ReasonMeaning& b) {
    return a.reason < b.reason;
}
static_assert(std::is_sorted(meanings.begin(), meanings.end(), is_before));

const Meaning* find(std::string_view reason) noexcept {
    const auto* const found =
        std::lower_bound(meanings.begin(), meanings.end(), reason,
                         [](const ReasonMeaning& a, std::string_view b) { return a.reason < b; });
    return found != meanings.end() && found->reason == reason ? &found->meaning : nullptr;
}

/// Apple's reasons are names: a sentence is somebody else's.
bool is_reason(std::string_view reason) noexcept {
    return !reason.empty() && reason.size() <= 64 &&
           std::all_of(reason.begin(), reason.end(),
                       [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
}

}  // namespace

BatchAnswer read_answer(const HttpAnswer& answer, std::int64_t now_unix) {
    if (auto fault = transport_fault(type, answer)) return *std::move(fault);
    if (is_success(answer.status)) {
        // The body is empty; the id came as a header.
        if (!is_storable_id(answer.message_id)) return unreadable(type, answer.status);
        return accepted(answer.message_id);
    }
    std::array<unsigned char, 1024> storage;
    boost::json::monotonic_resource memory{storage.data(), storage.size()};
    boost::json::value body(boost::json::storage_ptr{&memory});
    const bool is_object = parse_object(answer.body, body);
    const auto reason = is_object ? string_at(body.get_object(), "reason") : std::string_view{};
    ErrorDocument document{.own = is_reason(reason)};
    if (const auto* const meaning = find(reason)) document.meaning = *meaning;
    auto result = classify_error(type, document, answer, 1, now_unix);
    result.renew_credential = reason == stale_token;
    result.recipient_only = reason == too_often;
    return result;
}

}  // namespace fanfare::apns
