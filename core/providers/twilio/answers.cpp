#include "core/providers/classification.hpp"
#include "core/providers/twilio/twilio.hpp"

#include <boost/json/monotonic_resource.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace fanfare::twilio {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

struct CodeMeaning {
    std::int64_t code;
    Meaning meaning;
};

constexpr Meaning bad_request{Verdict::perm_req, Reason::request_refused, "request refused"};
constexpr Meaning too_long{Verdict::perm_req, Reason::content_too_large, "text too long"};
constexpr Meaning bad_account{Verdict::config, Reason::account_unusable, "account unusable"};
constexpr Meaning bad_sender{Verdict::config, Reason::account_unusable, "sender unusable"};
constexpr Meaning bad_number{Verdict::suppress, Reason::address_invalid, "to is not valid"};
constexpr Meaning opted_out{Verdict::suppress, Reason::consent_withdrawn, "recipient opted out"};
constexpr Meaning cannot_serve{Verdict::perm_rcpt, Reason::recipient_refused,
                               "cannot serve this recipient"};
constexpr Meaning outage{Verdict::transient, Reason::provider_unavailable, "provider's fault"};

constexpr Meaning throttled(std::string_view words, std::chrono::milliseconds wait) {
    return {Verdict::throttle, Reason::throttled, words, wait};
}

/// Sorted by code. Codes of one meaning stand together where the order allows it.
constexpr std::array meanings{
    CodeMeaning{10001, bad_account},
    CodeMeaning{20001, bad_request},
    CodeMeaning{20002, bad_request},
    CodeMeaning{20003, bad_account},
    CodeMeaning{20005, bad_account},
    CodeMeaning{20008, bad_account},
    CodeMeaning{20403, bad_account},
    CodeMeaning{20404, bad_account},
    CodeMeaning{20429, throttled("too many requests at a time", {})},
    CodeMeaning{20500, outage},
    CodeMeaning{20503, outage},
    CodeMeaning{20504, outage},
    CodeMeaning{21211, bad_number},
    CodeMeaning{21212, bad_sender},
    CodeMeaning{21214, bad_number},
    CodeMeaning{21217, bad_number},
    CodeMeaning{21266, cannot_serve},
    CodeMeaning{21401, bad_number},
    CodeMeaning{21408, cannot_serve},
    CodeMeaning{21601, bad_sender},
    CodeMeaning{21602, bad_request},
    CodeMeaning{21603, bad_request},
    CodeMeaning{21604, bad_request},
    CodeMeaning{21605, too_long},
    CodeMeaning{21606, bad_sender},
    CodeMeaning{21608, cannot_serve},
    CodeMeaning{21610, opted_out},
    CodeMeaning{21611, throttled("queue of the sender is full", minutes{1})},
    CodeMeaning{21612, cannot_serve},
    CodeMeaning{21614, bad_number},
    CodeMeaning{21617, too_long},
    CodeMeaning{21619, bad_request},
    CodeMeaning{21620, bad_request},
    CodeMeaning{21623, bad_request},
    CodeMeaning{21659, bad_sender},
    CodeMeaning{21660, bad_sender},
    CodeMeaning{21701, bad_sender},
    CodeMeaning{21703, bad_sender},
    CodeMeaning{21704, bad_sender},
    CodeMeaning{21705, bad_sender},
    CodeMeaning{21910, bad_request},
    CodeMeaning{30450, cannot_serve},
    CodeMeaning{30610, cannot_serve},
    CodeMeaning{30640, cannot_serve},
    CodeMeaning{35114, bad_request},
    CodeMeaning{35115, bad_request},
    CodeMeaning{35117, bad_request},
    CodeMeaning{35118, bad_request},
    CodeMeaning{35125, throttled("too many scheduled messages", hours{1})},
    CodeMeaning{63017, throttled("messages a second of the account", seconds{1})},
    CodeMeaning{63038, throttled("messages a day of the account", hours{1})},
};

static_assert(std::is_sorted(meanings.begin(), meanings.end(),
                             [](const CodeMeaning& a, const CodeMeaning& b) {
                                 return a.code < b.code;
                             }));

const Meaning* find(std::int64_t code) noexcept {
    const auto* const found =
        std::lower_bound(meanings.begin(), meanings.end(), code,
                         [](const CodeMeaning& a, std::int64_t b) { return a.code < b; });
    return found != meanings.end() && found->code == code ? &found->meaning : nullptr;
}

std::optional<std::int64_t> parse_code(const boost::json::value& body) {
    if (!body.is_object()) return std::nullopt;
    const auto* const code = body.get_object().if_contains("code");
    if (code == nullptr || !code->is_int64()) return std::nullopt;
    return code->get_int64();
}

BatchAnswer read_success(const HttpAnswer& answer, const boost::json::value& body) {
    if (!body.is_object()) return unreadable(type, answer.status);
    const auto sid = string_at(body.get_object(), "sid");
    if (!is_storable_id(sid)) return unreadable(type, answer.status);
    return accepted(std::string{sid});
}

/// An error of Twilio's has a code of its own. A 5xx after the text was handed over does not
/// exclude that it is on its way, and nothing that Twilio knows would hide a second one: only for
/// 20429 it promises that nothing was done.
ErrorDocument read_error(std::optional<std::int64_t> code, int status) noexcept {
    ErrorDocument document{.own = code.has_value(), .perhaps_taken = true};
    if (!code) return document;
    const auto* const meaning = find(*code);
    const bool status_tells = status == 401 || status == 408 || status == 425 || status == 429;
    if (meaning != nullptr) {
        document.meaning = *meaning;
    } else if (!status_tells && status >= 400 && status <= 499) {
        document.meaning = bad_request;
    }
    return document;
}

}  // namespace

BatchAnswer read_answer(const HttpAnswer& answer, std::int64_t now_unix) {
    if (auto fault = transport_fault(type, answer)) return *std::move(fault);
    std::array<unsigned char, 4096> storage;
    boost::json::monotonic_resource memory{storage.data(), storage.size()};
    boost::json::value body(boost::json::storage_ptr{&memory});
    const bool is_object = parse_object(answer.body, body);
    if (is_success(answer.status)) {
        return is_object ? read_success(answer, body) : unreadable(type, answer.status);
    }

    const auto code = parse_code(body);
    auto result = classify_error(type, read_error(code, answer.status), answer, 1, now_unix);
    result.fewer_requests = code == 20429;
    if (code) result.detail.append(" (code ").append(std::to_string(*code)).append(")");
    return result;
}

}  // namespace fanfare::twilio
