#include "core/providers/classification.hpp"
#include "core/providers/fcm/fcm.hpp"

#include <fmt/format.h>
#include <boost/json/monotonic_resource.hpp>

#include <algorithm>
#include <array>

namespace fanfare::fcm {
namespace {

using boost::json::object;
using boost::json::value;
using std::chrono::seconds;

constexpr seconds quota_wait{60};  // Google's rule for a 429 that names no time.

constexpr Meaning bad_token{Verdict::suppress, Reason::address_invalid, "token not valid"};
constexpr Meaning dead_token{Verdict::suppress, Reason::address_invalid, "UNREGISTERED"};
constexpr Meaning other_sender{Verdict::perm_rcpt, Reason::recipient_refused, "SENDER_ID_MISMATCH"};
constexpr Meaning platform_key{Verdict::config, Reason::account_unusable, "THIRD_PARTY_AUTH_ERROR"};
constexpr Meaning bad_request{Verdict::perm_req, Reason::request_refused, "INVALID_ARGUMENT"};
constexpr Meaning too_big{Verdict::perm_req, Reason::content_too_large, "message too big"};
constexpr Meaning project_quota{Verdict::throttle, Reason::throttled, "QUOTA_EXCEEDED", quota_wait};
// Only this token has to wait: recipient_only, nothing that would hold back the account.
constexpr Meaning device_quota{Verdict::throttle, Reason::throttled,
                               "QUOTA_EXCEEDED of a device or topic", quota_wait};
constexpr Meaning outage{Verdict::transient, Reason::provider_unavailable, "provider's fault"};
constexpr Meaning bad_project{Verdict::config, Reason::account_unusable, "project unusable"};
constexpr Meaning stale_token{Verdict::config, Reason::account_unusable, "UNAUTHENTICATED"};

const object* object_at(const object& parent, std::string_view key) {
    const auto* const found = parent.if_contains({key.data(), key.size()});
    return found == nullptr ? nullptr : found->if_object();
}

/// The error of an answer, taken apart. All views are into the parsed body.
struct Fault {
    std::string_view code;    // details[].errorCode of FCM's own type; "" if there is none.
    std::string_view status;  // google.rpc.Code: "NOT_FOUND".
    std::string_view message;
    bool blames_token = false;
};

bool names_token(const object& detail) {
    const auto* const found = detail.if_contains("fieldViolations");
    const auto* const violations = found == nullptr ? nullptr : found->if_array();
    return violations != nullptr &&
           std::any_of(violations->begin(), violations->end(), [](const value& violation) {
               const auto* const fields = violation.if_object();
               return fields != nullptr && string_at(*fields, "field") == "message.token";
           });
}

Fault read_fault(const value& body) {
    Fault fault;
    const auto* const error = body.is_object() ? object_at(body.get_object(), "error") : nullptr;
    if (error == nullptr) return fault;
    fault.status = string_at(*error, "status");
    fault.message = string_at(*error, "message");
    fault.blames_token = mentions(fault.message, "not a valid fcm registration token");
    const auto* const details = error->if_contains("details");
    const auto* const list = details == nullptr ? nullptr : details->if_array();
    if (list == nullptr) return fault;
    for (const auto& entry : *list) {
        const auto* const detail = entry.if_object();
        if (detail == nullptr) continue;
        const auto kind = string_at(*detail, "@type");
        if (kind.ends_with("FcmError")) fault.code = string_at(*detail, "errorCode");
        if (kind.ends_with("google.rpc.BadRequest") && names_token(*detail)) {
            fault.blames_token = true;
        }
    }
    return fault;
}

const Meaning* meaning_of_argument(const Fault& fault) noexcept {
    if (fault.blames_token) return &bad_token;
    const bool is_too_big =
        mentions(fault.message, "too big") || mentions(fault.message, "too large");
    return is_too_big ? &too_big : &bad_request;
}

const Meaning* meaning_of_quota(const Fault& fault) noexcept {
    const bool is_single = mentions(fault.message, "device") || mentions(fault.message, "topic");
    return is_single ? &device_quota : &project_quota;
}

/// By FCM's own code.
const Meaning* meaning_of_code(const Fault& fault) noexcept {
    const auto code = fault.code;
    if (code == "UNREGISTERED") return &dead_token;
    if (code == "INVALID_ARGUMENT") return meaning_of_argument(fault);
    if (code == "SENDER_ID_MISMATCH") return &other_sender;
    if (code == "QUOTA_EXCEEDED") return meaning_of_quota(fault);
    if (code == "THIRD_PARTY_AUTH_ERROR" || code == "APNS_AUTH_ERROR") return &platform_key;
    if (code == "UNAVAILABLE" || code == "INTERNAL") return &outage;
    return nullptr;
}

/// By Google's general code, where FCM names none of its own.
const Meaning* meaning_of_status(const Fault& fault) noexcept {
    const auto status = fault.status;
    if (status == "INVALID_ARGUMENT") return meaning_of_argument(fault);
    if (status == "RESOURCE_EXHAUSTED") return meaning_of_quota(fault);
    if (status == "UNAUTHENTICATED") return &stale_token;
    if (status == "PERMISSION_DENIED" || status == "NOT_FOUND") return &bad_project;
    if (status == "UNAVAILABLE" || status == "INTERNAL") return &outage;
    return nullptr;
}

BatchAnswer read_success(const HttpAnswer& answer, const value& body) {
    if (!body.is_object()) return unreadable(type, answer.status);
    // "projects/P/messages/ID": the last segment is the message's id.
    auto name = string_at(body.get_object(), "name");
    if (const auto slash = name.rfind('/'); slash != std::string_view::npos) {
        name.remove_prefix(slash + 1);
    }
    if (!is_storable_id(name)) return unreadable(type, answer.status);
    return accepted(std::string{name});
}

/// Whole seconds of a JSON number; 0 for what is none.
std::int64_t whole_seconds(const value* number) noexcept {
    if (number == nullptr) return 0;
    if (number->is_int64()) return number->get_int64();
    if (!number->is_double()) return 0;
    constexpr double most = 1e9;
    const double told = number->get_double();
    return told > 0 ? static_cast<std::int64_t>(std::min(told, most)) : 0;
}

bool is_token(std::string_view token) noexcept {
    return !token.empty() && token.size() <= 8192 &&
           std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

BatchAnswer read_answer(const HttpAnswer& answer, std::int64_t now_unix) {
    if (auto fault = transport_fault(type, answer)) return *std::move(fault);
    std::array<unsigned char, 4096> storage;
    boost::json::monotonic_resource memory{storage.data(), storage.size()};
    value body(boost::json::storage_ptr{&memory});
    if (!parse_object(answer.body, body)) body = nullptr;
    if (is_success(answer.status)) return read_success(answer, body);

    const auto fault = read_fault(body);
    const auto* meaning = meaning_of_code(fault);
    if (meaning == nullptr) meaning = meaning_of_status(fault);
    if (meaning == nullptr && answer.status == 401) meaning = &stale_token;
    if (meaning == nullptr && answer.status == 429) meaning = &project_quota;
    // Google says of this one that the operation may have been done nevertheless.
    ErrorDocument document{.own = !fault.code.empty() || !fault.status.empty(),
                           .perhaps_taken = fault.status == "DEADLINE_EXCEEDED"};
    if (meaning != nullptr) document.meaning = *meaning;
    auto result = classify_error(type, document, answer, 1, now_unix);
    result.recipient_only = meaning == &device_quota;
    if (result.recipient_only) result.retry_after = std::max(result.retry_after, {quota_wait});
    result.renew_credential = meaning == &stale_token;
    return result;
}

Result<Credential> read_token_answer(const HttpAnswer& answer) {
    constexpr std::string_view doing = "fetch an access token";
    if (answer.transport != Transport::answered) {
        return fail(Errc::http_unavailable, fmt::format("{}: no answer", doing));
    }
    const int status = answer.status;
    value body;
    const bool is_object = parse_object(answer.body, body);
    if (!is_success(status)) {
        const bool passes = status == 408 || status == 429 || (status >= 500 && status <= 599);
        return fail(passes ? Errc::http_unavailable : Errc::credential_refused,
                    fmt::format("{}: status {}", doing, status));
    }
    const auto token =
        is_object ? string_at(body.get_object(), "access_token") : std::string_view{};
    if (!is_token(token)) {
        return fail(Errc::http_unavailable, fmt::format("{}: answer unreadable", doing));
    }
    const auto told = whole_seconds(body.get_object().if_contains("expires_in"));
    constexpr std::int64_t day = 86'400;
    // An hour is what Google gives; without a word on it, a little less than that.
    const auto lifetime = told > 0 ? std::min(told, day) : std::int64_t{3'000};
    return Credential{.value = std::string{token}, .lifetime = seconds{lifetime}};
}

}  // namespace fanfare::fcm
