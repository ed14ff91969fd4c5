#include "core/providers/vonage/problem.hpp"

#include "core/domain/number.hpp"

#include <algorithm>
#include <array>

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

/// "https://developer.vonage.com/api-errors/messages#1020"
bool is_own(std::string_view about) noexcept {
    constexpr std::array<std::string_view, 4> sites{
        "https://developer.vonage.com/", "https://www.developer.vonage.com/",
        "https://developer.nexmo.com/", "https://www.developer.nexmo.com/"};
    return std::any_of(sites.begin(), sites.end(),
                       [about](std::string_view site) { return about.starts_with(site); });
}

std::optional<int> parse_code(std::string_view about) {
    const auto mark = about.rfind('#');
    if (mark == std::string_view::npos) return std::nullopt;
    return parse_number<int>(about.substr(mark + 1));
}

}  // namespace

Problem read_problem(const boost::json::value& body) {
    Problem problem;
    if (!body.is_object()) return problem;
    const auto about = string_at(body.get_object(), "type");
    problem.document.own = is_own(about);
    if (!problem.document.own) return problem;
    problem.code = parse_code(about);
    if (!problem.code) return problem;
    if (const auto* const meaning = find(*problem.code)) problem.document.meaning = *meaning;
    problem.is_of_recipient = problem.code == too_often_code;
    return problem;
}

}  // namespace fanfare::vonage
