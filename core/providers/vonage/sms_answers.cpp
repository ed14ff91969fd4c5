#include "core/domain/number.hpp"
#include "core/providers/vonage/problem.hpp"
#include "core/providers/vonage/vonage.hpp"

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>

#include <algorithm>
#include <array>

namespace fanfare::vonage {
namespace {

using std::chrono::seconds;

constexpr Meaning sms_bad_request{Verdict::perm_req, Reason::request_refused, "request refused"};
constexpr Meaning sms_too_long{Verdict::perm_req, Reason::content_too_large, "text too long"};
constexpr Meaning sms_bad_account{Verdict::config, Reason::account_unusable, "account unusable"};
constexpr Meaning sms_bad_number{Verdict::suppress, Reason::address_invalid, "number barred"};
constexpr Meaning sms_cannot_serve{Verdict::perm_rcpt, Reason::recipient_refused,
                                   "cannot serve this recipient"};
constexpr Meaning sms_outage{Verdict::transient, Reason::provider_unavailable, "provider's fault"};
constexpr Meaning sms_too_fast{Verdict::throttle, Reason::throttled, "too fast", seconds{1}};
constexpr Meaning sms_too_many{Verdict::throttle, Reason::throttled, "too many connections",
                               seconds{1}};
constexpr Meaning sms_perhaps{Verdict::ambiguous, Reason::answer_lost, "may have been sent"};
constexpr Meaning sms_taken{Verdict::ok, Reason::none, ""};

/// By `status` of one part of a text. A bad `to` comes as 3 too, but only E.164 is sent.
const Meaning& find_meaning(int status) noexcept {
    switch (status) {
        case 0:
            return sms_taken;
        case 1:
            return sms_too_fast;
        case 4:
        case 8:
        case 9:
        case 11:
        case 14:
        case 29:
        case 32:
            return sms_bad_account;
        case 5:
            return sms_outage;
        case 6:
        case 15:  // The sender is often refused in one country only.
            return sms_cannot_serve;
        case 7:
        case 33:
            return sms_bad_number;
        case 10:
            return sms_too_many;
        case 12:
            return sms_too_long;
        default:
            return sms_bad_request;
    }
}

/// The higher, the worse: what stops all, what is final, what may be sent again, what is taken.
int badness(Verdict verdict) noexcept {
    switch (verdict) {
        case Verdict::config:
            return 6;
        case Verdict::suppress:
            return 5;
        case Verdict::perm_req:
            return 4;
        case Verdict::perm_rcpt:
            return 3;
        case Verdict::throttle:
            return 2;
        case Verdict::transient:
            return 1;
        case Verdict::ok:
        case Verdict::ambiguous:
            return 0;
    }
    return 0;
}

/// What the parts of one text amount to.
struct SmsParts {
    const Meaning* worst = &sms_taken;
    int status = 0;  // Of the worst.
    bool any_taken = false;
    std::string_view first_id;
};

/// Nothing where a part has no status that can be read.
std::optional<SmsParts> read_parts(const boost::json::array& messages) {
    SmsParts parts;
    for (const auto& entry : messages) {
        const auto* const message = entry.if_object();
        if (message == nullptr) return std::nullopt;
        const auto status = parse_number<int>(string_at(*message, "status"));
        if (!status) return std::nullopt;
        const auto& meaning = find_meaning(*status);
        if (meaning.verdict == Verdict::ok) {
            parts.any_taken = true;
            if (parts.first_id.empty()) parts.first_id = string_at(*message, "message-id");
        } else if (badness(meaning.verdict) > badness(parts.worst->verdict)) {
            parts.worst = &meaning;
            parts.status = *status;
        }
    }
    return messages.empty() ? std::nullopt : std::optional{parts};
}

/// A verdict that leads to a second sending, in full.
bool is_repeated(Verdict verdict) noexcept {
    return verdict == Verdict::throttle || verdict == Verdict::transient ||
           verdict == Verdict::config;
}

BatchAnswer read_messages(const HttpAnswer& answer, const boost::json::value& body,
                          std::int64_t now_unix) {
    const auto* const messages = body.get_object().if_contains("messages");
    const auto* const list = messages == nullptr ? nullptr : messages->if_array();
    const auto parts = list == nullptr ? std::nullopt : read_parts(*list);
    if (!parts) return unreadable(type, answer.status);
    if (parts->worst->verdict == Verdict::ok) {
        if (!is_storable_id(parts->first_id)) return unreadable(type, answer.status);
        return accepted(std::string{parts->first_id});
    }
    // A part is on its way already: sent again, it would arrive twice.
    const bool is_half_sent = parts->any_taken && is_repeated(parts->worst->verdict);
    auto result = as_answer(type, is_half_sent ? sms_perhaps : *parts->worst, answer, now_unix);
    result.fewer_requests = !is_half_sent && parts->worst == &sms_too_many;
    result.detail.append(" (status ").append(std::to_string(parts->status)).append(")");
    return result;
}

}  // namespace

BatchAnswer read_sms_answer(const HttpAnswer& answer, std::int64_t now_unix) {
    if (auto fault = transport_fault(type, answer)) return *std::move(fault);
    std::array<unsigned char, 4096> storage;
    boost::json::monotonic_resource memory{storage.data(), storage.size()};
    boost::json::value body(boost::json::storage_ptr{&memory});
    if (!parse_object(answer.body, body)) body = nullptr;
    if (is_success(answer.status)) {
        if (!body.is_object()) return unreadable(type, answer.status);
        return read_messages(answer, body, now_unix);
    }
    const auto problem = read_problem(body);
    auto result = classify_error(type, problem.document, answer, 1, now_unix);
    result.recipient_only = problem.is_of_recipient;
    return result;
}

}  // namespace fanfare::vonage
