#include "core/providers/classification.hpp"
#include "core/providers/ses/ses.hpp"
#include "core/providers/wait_hint.hpp"

#include <boost/json/monotonic_resource.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace fanfare::ses {
namespace {

using std::chrono::seconds;

constexpr Meaning bad_address{Verdict::suppress, Reason::address_invalid, "address not valid"};
constexpr Meaning bad_person{Verdict::perm_rcpt, Reason::recipient_refused, "entry refused"};
constexpr Meaning bad_call{Verdict::perm_req, Reason::request_refused, "request refused"};
constexpr Meaning unverified{Verdict::config, Reason::account_unusable, "sender not verified"};
constexpr Meaning unusable{Verdict::config, Reason::account_unusable, "account unusable"};
constexpr Meaning bad_key{Verdict::config, Reason::account_unusable, "credentials refused"};
constexpr Meaning bad_signature{Verdict::config, Reason::account_unusable, "signature refused"};
constexpr Meaning too_large{Verdict::perm_req, Reason::content_too_large, "request too large"};
constexpr Meaning too_fast{Verdict::throttle, Reason::throttled, "sending rate exceeded"};
constexpr Meaning too_many{Verdict::throttle, Reason::throttled, "daily quota exceeded",
                           wait_hint_max};
constexpr Meaning limited{Verdict::throttle, Reason::throttled, "limit exceeded", seconds{60}};
constexpr Meaning outage{Verdict::transient, Reason::provider_unavailable, "provider's fault"};
constexpr Meaning untold{Verdict::ambiguous, Reason::answer_unreadable, "entry without a result"};

struct Named {
    std::string_view name;
    Meaning meaning;
};

constexpr std::array entry_statuses{
    Named{"MESSAGE_REJECTED", bad_person},
    Named{"INVALID_PARAMETER", bad_person},
    Named{"TRANSIENT_FAILURE", outage},
    Named{"FAILED", outage},
    Named{"ACCOUNT_THROTTLED", too_fast},
    Named{"ACCOUNT_DAILY_QUOTA_EXCEEDED", too_many},
    Named{"ACCOUNT_SUSPENDED", unusable},
    Named{"ACCOUNT_SENDING_PAUSED", unusable},
    Named{"CONFIGURATION_SET_SENDING_PAUSED", unusable},
    Named{"CONFIGURATION_SET_NOT_FOUND", unusable},
    Named{"MAIL_FROM_DOMAIN_NOT_VERIFIED", unverified},
    Named{"INVALID_SENDING_POOL_NAME", unusable},
    Named{"TEMPLATE_NOT_FOUND", unusable},
};

/// Those of a whole call that no text has to be read for. Whatever the HTTP status: SES
/// throttles with 400 as well as with 429.
constexpr std::array error_types{
    Named{"TooManyRequestsException", too_fast},
    Named{"ThrottlingException", too_fast},
    Named{"Throttling", too_fast},
    Named{"LimitExceededException", limited},
    Named{"AccountSuspendedException", unusable},
    Named{"SendingPausedException", unusable},
    Named{"MailFromDomainNotVerifiedException", unverified},
    Named{"NotFoundException", unusable},
    Named{"SignatureDoesNotMatch", bad_signature},
    Named{"RequestExpired", bad_signature},
    Named{"InvalidSignatureException", bad_signature},
    Named{"AccessDeniedException", bad_key},
    Named{"UnrecognizedClientException", bad_key},
    Named{"IncompleteSignature", bad_key},
    Named{"MissingAuthenticationToken", bad_key},
    Named{"InvalidClientTokenId", bad_key},
    Named{"OptInRequired", bad_key},
    Named{"ExpiredToken", bad_key},
    Named{"ExpiredTokenException", bad_key},
    Named{"NotAuthorized", bad_key},
    Named{"RequestTimeout", outage},
    Named{"RequestEntityTooLarge", too_large},
    Named{"InternalFailure", outage},
    Named{"InternalServerError", outage},
    Named{"ServiceUnavailable", outage},
};

template <std::size_t Size>
const Meaning* find(const std::array<Named, Size>& table, std::string_view name) noexcept {
    const auto* const found = std::find_if(table.begin(), table.end(),
                                           [name](const Named& row) { return row.name == name; });
    return found == table.end() ? nullptr : &found->meaning;
}

bool is_about_an_address(std::string_view text) noexcept {
    return mentions(text, "domain contains illegal character") ||
           mentions(text, "local address contains control or whitespace") ||
           mentions(text, "missing final '@domain'");
}

/// "Email address is not verified. The following identities failed the check: a@b": ours, or
/// in the sandbox a recipient's.
bool blames_sender(std::string_view text, std::string_view sender) {
    std::string lower{sender};
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text.find('@') == std::string_view::npos || mentions(text, lower);
}

constexpr std::string_view not_verified = "email address is not verified";

/// What becomes of one entry; `id` is set where it was taken.
struct Result {
    Meaning meaning = untold;
    std::string_view id = {};
};

Result read_entry(const boost::json::value& value, std::string_view sender) {
    const auto* const entry = value.if_object();
    if (entry == nullptr) return {};
    const auto status = string_at(*entry, "Status");
    if (status == "SUCCESS") {
        const auto id = string_at(*entry, "MessageId");
        if (!is_storable_id(id)) return {};
        return {{Verdict::ok, Reason::none, ""}, id};
    }
    const auto error = string_at(*entry, "Error");
    // Nobody may be refused for good because our own sender is not set up.
    if (status == "MESSAGE_REJECTED" && mentions(error, not_verified) &&
        blames_sender(error, sender)) {
        return {unverified, {}};
    }
    const auto* const found = find(entry_statuses, status);
    return found == nullptr ? Result{} : Result{*found, {}};
}

/// The verdict that stands for the call: what stops or slows the account first, since the
/// send stage learns of that from the call alone; then what was taken.
std::size_t find_leader(const std::vector<Result>& results) {
    std::size_t leader = 0;
    const auto weight = [](const Result& result) {
        const auto verdict = result.meaning.verdict;
        if (verdict == Verdict::config) return 3;
        if (verdict == Verdict::throttle) return 2;
        return verdict == Verdict::ok ? 1 : 0;
    };
    const auto is_before = [&weight](const Result& a, const Result& b) {
        const bool both_wait = weight(a) == 2 && weight(b) == 2;
        return both_wait ? a.meaning.wait < b.meaning.wait : weight(a) < weight(b);
    };
    for (std::size_t i = 1; i < results.size(); ++i) {
        if (is_before(results[leader], results[i])) leader = i;
    }
    return leader;
}

BatchAnswer read_results(const HttpAnswer& answer, std::size_t count, std::string_view sender,
                         std::int64_t now_unix) {
    std::array<unsigned char, 4096> storage;
    boost::json::monotonic_resource memory{storage.data(), storage.size()};
    boost::json::value body(boost::json::storage_ptr{&memory});
    if (!parse_object(answer.body, body)) return unreadable(type, answer.status);
    const auto* const found = body.get_object().if_contains("BulkEmailEntryResults");
    const auto* const list = found == nullptr ? nullptr : found->if_array();
    // With more results than entries nobody knows whose is whose.
    if (list == nullptr || list->empty() || list->size() > count) {
        return unreadable(type, answer.status);
    }
    std::vector<Result> results(count);
    for (std::size_t i = 0; i < list->size(); ++i) results[i] = read_entry((*list)[i], sender);

    const auto& leader = results[find_leader(results)];
    const bool is_taken = leader.meaning.verdict == Verdict::ok;
    auto out = is_taken ? accepted(std::string{leader.id})
                        : as_answer(type, leader.meaning, answer, now_unix);
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto& [meaning, id] = results[i];
        if (meaning.verdict == leader.meaning.verdict && meaning.reason == leader.meaning.reason &&
            id == leader.id) {
            continue;
        }
        out.exceptions.push_back({i, meaning.verdict, meaning.reason, std::string{id}});
    }
    return out;
}

/// "SignatureDoesNotMatch:http://..." and "com.amazon#SignatureDoesNotMatch" alike; "" for what
/// is no name of a type, such as a number.
std::string_view type_name(std::string_view text) noexcept {
    text = text.substr(0, text.find(':'));
    if (const auto hash = text.rfind('#'); hash != std::string_view::npos) {
        text.remove_prefix(hash + 1);
    }
    const bool is_name =
        !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
            return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        });
    return is_name ? text : std::string_view{};
}

/// An error of the whole call. All views are into the answer and the parsed body.
struct Fault {
    std::string_view type;
    std::string_view text;
};

Fault read_fault(const HttpAnswer& answer, const boost::json::value& body) {
    Fault fault{type_name(answer.error_type), {}};
    if (!body.is_object()) return fault;
    const auto& fields = body.get_object();
    for (const std::string_view name : {"__type", "code"}) {
        if (fault.type.empty()) fault.type = type_name(string_at(fields, name));
    }
    for (const std::string_view name : {"message", "Message"}) {
        if (fault.text.empty()) fault.text = string_at(fields, name);
    }
    return fault;
}

/// The meaning; nothing where only the status tells.
std::optional<Meaning> find_meaning(const Fault& fault, std::string_view sender) {
    const bool is_throttle = fault.type == "ThrottlingException" || fault.type == "Throttling";
    if ((is_throttle || fault.type.empty()) &&
        mentions(fault.text.substr(0, 40), "daily message quota exceeded")) {
        return too_many;
    }
    if (fault.type == "MessageRejected") {
        if (!mentions(fault.text, not_verified)) return bad_call;
        return blames_sender(fault.text, sender) ? unverified : bad_person;
    }
    if (fault.type == "BadRequestException" || fault.type == "ValidationException" ||
        fault.type == "ValidationError" || fault.type == "SerializationException") {
        return is_about_an_address(fault.text) ? bad_address : bad_call;
    }
    if (const auto* const found = find(error_types, fault.type)) return *found;
    const bool is_rate = mentions(fault.text.substr(0, 40), "maximum sending rate exceeded");
    return is_rate ? std::optional{too_fast} : std::nullopt;
}

}  // namespace

BatchAnswer read_answer(const HttpAnswer& answer, std::size_t count, std::string_view sender,
                        std::int64_t now_unix) {
    if (auto fault = transport_fault(type, answer)) return *std::move(fault);
    if (answer.status == 200) return read_results(answer, count, sender, now_unix);
    if (is_success(answer.status)) return unreadable(type, answer.status);
    boost::json::value body;
    if (!parse_object(answer.body, body)) body = nullptr;
    const auto fault = read_fault(answer, body);
    // Every error of Amazon's names its type; "message" alone is what other gateways write too.
    ErrorDocument document{.own = !fault.type.empty(), .meaning = find_meaning(fault, sender)};
    auto& meaning = document.meaning;
    // Of a whole call nobody knows whose address or value it was: its halves may pass.
    const bool is_somebodys = meaning && (meaning->verdict == Verdict::suppress ||
                                          meaning->verdict == Verdict::perm_rcpt);
    if (is_somebodys && count > 1) meaning = bad_call;
    auto result = classify_error(type, document, answer, count, now_unix);
    const bool is_too_large = meaning && meaning->reason == Reason::content_too_large;
    if (count > 1 && (is_somebodys || is_too_large)) result.split = true;
    result.renew_credential = meaning && meaning->words == bad_signature.words;
    return result;
}

}  // namespace fanfare::ses
