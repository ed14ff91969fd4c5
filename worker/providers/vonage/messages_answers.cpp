#include "worker/providers/classification.hpp"
#include "worker/providers/vonage/vonage.hpp"

#include <boost/json/monotonic_resource.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace fanfare::vonage {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

struct CodeMeaning {
    int code;
    Meaning meaning;
};

constexpr Meaning bad_request{Verdict::perm_req, Reason::request_refused, "request refused"};
constexpr Meaning too_long{Verdict::perm_req, Reason::content_too_large, "text too long"};
constexpr Meaning bad_account{Verdict::config, Reason::account_unusable, "account unusable"};
constexpr Meaning bad_number{Verdict::suppress, Reason::address_invalid, "number unusable"};
constexpr Meaning opted_out{Verdict::suppress, Reason::consent_withdrawn, "recipient opted out"};
constexpr Meaning cannot_serve{Verdict::perm_rcpt, Reason::recipient_refused,
                               "cannot serve this recipient"};
constexpr Meaning too_late{Verdict::perm_rcpt, Reason::past_expiry, "ttl over"};
constexpr Meaning outage{Verdict::transient, Reason::provider_unavailable, "passing fault"};
constexpr Meaning too_fast{Verdict::throttle, Reason::throttled, "too fast", seconds{1}};
constexpr Meaning too_often{Verdict::throttle, Reason::throttled, "too many to this number",
                            minutes{1}};
constexpr Meaning already_sent{Verdict::ok, Reason::none, ""};
constexpr Meaning perhaps{Verdict::ambiguous, Reason::provider_unavailable, "may have been sent"};

constexpr int too_often_code = 1241;

/// Sorted by code.
constexpr std::array meanings{
    CodeMeaning{1000, too_fast},     CodeMeaning{1010, bad_request},
    CodeMeaning{1020, bad_request},  CodeMeaning{1021, bad_request},
    CodeMeaning{1022, bad_request},  CodeMeaning{1030, outage},
    CodeMeaning{1040, cannot_serve}, CodeMeaning{1050, bad_number},
    CodeMeaning{1060, bad_account},  CodeMeaning{1070, bad_account},
    CodeMeaning{1080, bad_account},  CodeMeaning{1090, too_long},
    CodeMeaning{1100, outage},       CodeMeaning{1110, bad_account},
    CodeMeaning{1120, cannot_serve}, CodeMeaning{1130, bad_request},
    CodeMeaning{1140, bad_account},  CodeMeaning{1150, bad_request},
    CodeMeaning{1160, bad_account},  CodeMeaning{1170, bad_number},
    CodeMeaning{1180, outage},       CodeMeaning{1190, bad_number},
    CodeMeaning{1200, cannot_serve}, CodeMeaning{1210, cannot_serve},
    CodeMeaning{1220, outage},       CodeMeaning{1230, outage},
    CodeMeaning{1240, opted_out},    CodeMeaning{too_often_code, too_often},
    CodeMeaning{1250, cannot_serve}, CodeMeaning{1260, cannot_serve},
    CodeMeaning{1270, cannot_serve}, CodeMeaning{1280, cannot_serve},
    CodeMeaning{1290, cannot_serve}, CodeMeaning{1300, bad_number},
    CodeMeaning{1310, cannot_serve}, CodeMeaning{1320, already_sent},
    CodeMeaning{1330, cannot_serve}, CodeMeaning{1331, outage},
    CodeMeaning{1340, cannot_serve}, CodeMeaning{1350, cannot_serve},
    CodeMeaning{1360, too_late},     CodeMeaning{1370, cannot_serve},
    CodeMeaning{1380, bad_request},  CodeMeaning{1381, bad_request},
    CodeMeaning{1382, bad_request},
};

constexpr bool is_before(const CodeMeaning& a, const CodeMeaning& b) { return a.code < b.code; }
static_assert(std::is_sorted(meanings.begin(), meanings.end(), is_before));

const Meaning* find(int code) noexcept {
    const auto* const found =
        std::lower_bound(meanings.begin(), meanings.end(), CodeMeaning{code, {}}, is_before);
    return found != meanings.end() && found->code == code ? &found->meaning : nullptr;
}

/// The number behind '#' of a problem's type; nothing where it is a word.
std::optional<int> code_of(const boost::json::value& body) {
    if (!body.is_object()) return std::nullopt;
    auto kind = string_at(body.get_object(), "type");
    const auto mark = kind.rfind('#');
    if (mark == std::string_view::npos) return std::nullopt;
    kind.remove_prefix(mark + 1);
    int code = 0;
    const auto* const end = kind.data() + kind.size();
    const auto [stopped, fault] = std::from_chars(kind.data(), end, code);
    if (kind.empty() || fault != std::errc{} || stopped != end) return std::nullopt;
    return code;
}

}  // namespace

BatchAnswer read_messages_answer(const HttpAnswer& answer, std::int64_t now_unix) {
    if (auto fault = transport_fault(type, answer)) return *std::move(fault);
    std::array<unsigned char, 4096> storage;
    boost::json::monotonic_resource memory{storage.data(), storage.size()};
    boost::json::value body(boost::json::storage_ptr{&memory});
    if (!parse_object(answer.body, body)) body = nullptr;
    if (is_success(answer.status)) {
        if (!body.is_object()) return unreadable(type, answer.status);
        const auto id = string_at(body.get_object(), "message_uuid");
        if (!is_storable_id(id)) return unreadable(type, answer.status);
        return accepted(std::string{id});
    }
    const auto code = code_of(body);
    const auto* const meaning = code ? find(*code) : nullptr;
    BatchAnswer result;
    if (meaning != nullptr) {
        result = as_answer(type, *meaning, answer, now_unix);
    } else if (answer.status == 502 || answer.status == 504) {
        // A gateway in between gave up waiting, not the service.
        result = as_answer(type, perhaps, answer, now_unix);
    } else {
        result = classify_by_status(type, answer, now_unix);
    }
    result.recipient_only = code == too_often_code;
    if (code) result.detail.append(" (code ").append(std::to_string(*code)).append(")");
    return result;
}

}  // namespace fanfare::vonage
