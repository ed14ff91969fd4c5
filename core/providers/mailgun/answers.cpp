#include "core/providers/classification.hpp"
#include "core/providers/mailgun/mailgun.hpp"

#include <boost/json/monotonic_resource.hpp>

#include <array>
#include <optional>

namespace fanfare::mailgun {
namespace {

using std::chrono::milliseconds;

/// The wait that Mailgun writes into the sentence: "try again after 120 seconds", or a date.
milliseconds wait_in_text(std::string_view text, std::int64_t now_unix) {
    constexpr std::string_view lead = "try again after ";
    const auto found = text.find(lead);
    if (found == std::string_view::npos) return milliseconds{0};
    auto rest = text.substr(found + lead.size());
    while (!rest.empty() && (rest.back() == '.' || rest.back() == ' ')) rest.remove_suffix(1);
    if (const auto blank = rest.find(' ');
        blank != std::string_view::npos && rest.substr(blank + 1).starts_with("second")) {
        return parse_retry_after(rest.substr(0, blank), now_unix);
    }
    return wait_until_date(rest, now_unix);
}

/// What a sentence of Mailgun's means. A call is refused as a whole: where one of several
/// recipients is to blame, or there are too many, its halves may pass.
struct Sentence {
    Meaning meaning;
    bool halves_may_pass = false;
};

/// Mailgun tells the errors of one status apart by sentences only; nothing for those that
/// the status alone decides.
std::optional<Sentence> read_sentence(int status, std::string_view text) noexcept {
    if (status != 400 && status != 403 && status != 429) return std::nullopt;
    if (status == 429 || mentions(text, "limit exceeded")) {
        return Sentence{{Verdict::throttle, Reason::throttled, "sending limit exceeded"}};
    }
    if (status == 403 && mentions(text, "large batch")) {
        return Sentence{{Verdict::throttle, Reason::throttled, "large batches not allowed"}, true};
    }
    if (status != 400) return std::nullopt;
    if (mentions(text, "is not allowed to send")) {
        return Sentence{{Verdict::config, Reason::account_unusable, "domain may not send"}};
    }
    if (mentions(text, "too many recipients")) {
        return Sentence{{Verdict::perm_req, Reason::request_refused, "too many recipients"}, true};
    }
    const auto name = text.find_first_not_of("'\"` ");
    if (name != std::string_view::npos && mentions(text, "parameter is not a valid address") &&
        !mentions(text.substr(name, 4), "from")) {
        return Sentence{{Verdict::suppress, Reason::address_invalid, "to is not valid"}, true};
    }
    return Sentence{{Verdict::perm_req, Reason::request_refused, "parameters refused"}};
}

BatchAnswer read_success(const HttpAnswer& answer) {
    std::array<unsigned char, 2048> storage;
    boost::json::monotonic_resource memory{storage.data(), storage.size()};
    boost::json::value body(boost::json::storage_ptr{&memory});
    if (!parse_object(answer.body, body)) return unreadable(type, answer.status);
    auto id = string_at(body.get_object(), "id");
    // Events name the message without the angle brackets.
    if (id.starts_with('<') && id.ends_with('>')) id = id.substr(1, id.size() - 2);
    if (!is_storable_id(id)) return unreadable(type, answer.status);
    return accepted(std::string{id});
}

}  // namespace

BatchAnswer read_answer(const HttpAnswer& answer, std::size_t count, std::int64_t now_unix) {
    if (auto fault = transport_fault(type, answer)) return *std::move(fault);
    if (is_success(answer.status)) return read_success(answer);
    boost::json::value body;
    const bool is_object = parse_object(answer.body, body);
    const auto text = is_object ? string_at(body.get_object(), "message") : std::string_view{};
    const bool is_gateways = answer.status >= 500 && speaks_of_gateway(text);
    ErrorDocument document{.own = !text.empty() && !is_gateways};
    auto sentence = document.own ? read_sentence(answer.status, text) : std::nullopt;
    if (sentence) {
        auto& meaning = sentence->meaning;
        meaning.wait = wait_in_text(text, now_unix);
        const bool some_other_is_to_blame = meaning.verdict == Verdict::suppress && count > 1;
        if (some_other_is_to_blame) {
            meaning.verdict = Verdict::perm_req;
            meaning.reason = Reason::request_refused;
        }
        document.meaning = meaning;
    }
    auto result = classify_error(type, document, answer, count, now_unix);
    if (sentence && sentence->halves_may_pass && count > 1) result.split = true;
    return result;
}

}  // namespace fanfare::mailgun
