#include "core/providers/classification.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>

namespace fanfare {
namespace {

constexpr Meaning request_refused{Verdict::perm_req, Reason::request_refused, "request refused"};
constexpr Meaning too_large{Verdict::perm_req, Reason::content_too_large, "request too large"};
constexpr Meaning try_again{Verdict::transient, Reason::provider_unavailable, "try again"};
constexpr Meaning outage{Verdict::transient, Reason::provider_unavailable, "provider's fault"};
constexpr Meaning too_fast{Verdict::throttle, Reason::throttled, "too fast"};
// Also redirects, which are never followed with credentials.
constexpr Meaning bad_account{Verdict::config, Reason::account_unusable,
                              "account or address of the API"};
constexpr Meaning not_passed_on{Verdict::transient, Reason::provider_unavailable,
                                "refused on the way to the provider"};
// The reasons of doubt are those that keep a chunk with its account.
constexpr Meaning not_its_answer{Verdict::ambiguous, Reason::answer_lost,
                                 "not the provider's own answer, may have been sent"};
constexpr Meaning may_be_sent{Verdict::ambiguous, Reason::answer_lost, "may have been sent"};

constexpr bool is_server_error(int status) noexcept { return status >= 500 && status <= 599; }

/// Where the provider itself says it.
Meaning meaning_of_own(int status, bool perhaps_taken) noexcept {
    switch (status) {
        case 400:
        case 415:
        case 422:
            return request_refused;
        case 413:
        case 414:
        case 431:
            return too_large;
        case 408:
        case 425:
            return try_again;
        case 429:
            return too_fast;
        default:
            break;
    }
    if (is_server_error(status)) return perhaps_taken ? may_be_sent : outage;
    return status >= 300 && status <= 499 ? bad_account : not_its_answer;
}

/// Where anybody may have said it.
Meaning meaning_of_foreign(int status) noexcept {
    switch (status) {
        case 400:
        case 411:
        case 415:
        case 417:
        case 421:
        case 422:
        case 426:
        case 428:
            return not_passed_on;
        case 413:
        case 414:
        case 431:
            return too_large;
        case 425:
            return try_again;
        case 429:
            return too_fast;
        case 303:
        case 408:
        case 499:  // Of a client that left, which a chain of proxies passes on.
            return not_its_answer;
        case 409:
        case 410:
        case 412:
        case 416:
        case 418:
        case 423:
        case 424:
        case 451:
            return bad_account;
        default:
            break;
    }
    const bool is_registered = (status >= 300 && status <= 308) || (status >= 401 && status <= 407);
    return is_registered ? bad_account : not_its_answer;
}

BatchAnswer make_answer(Verdict verdict, Reason reason) {
    BatchAnswer result;
    result.verdict = verdict;
    result.reason = reason;
    return result;
}

}  // namespace

BatchAnswer as_answer(std::string_view type, const Meaning& meaning, const HttpAnswer& answer,
                      std::int64_t now_unix) {
    auto result = make_answer(meaning.verdict, meaning.reason);
    result.detail = fmt::format("{} {}: {}", type, answer.status, meaning.words);
    if (meaning.verdict == Verdict::throttle || meaning.verdict == Verdict::transient) {
        const auto told = wait_hint(answer, now_unix);
        result.retry_after = told.count() > 0 ? told : meaning.wait;
    }
    return result;
}

std::optional<BatchAnswer> transport_fault(std::string_view type, const HttpAnswer& answer) {
    if (answer.transport == Transport::answered) return std::nullopt;
    const bool never_left = answer.transport == Transport::not_sent;
    auto result = never_left ? make_answer(Verdict::transient, Reason::not_sent)
                             : make_answer(Verdict::ambiguous, Reason::answer_lost);
    // With its cause: it is what a log says of an account that keeps failing.
    result.detail = fmt::format("{}: {}{}{}", type, never_left ? "not sent" : "answer lost",
                                answer.fault.empty() ? "" : ", ", answer.fault);
    return result;
}

BatchAnswer accepted(std::string provider_id) {
    auto result = make_answer(Verdict::ok, Reason::none);
    result.provider_id = std::move(provider_id);
    return result;
}

BatchAnswer unreadable(std::string_view type, int status) {
    auto result = make_answer(Verdict::ambiguous, Reason::answer_unreadable);
    result.detail = fmt::format("{} {}: answer unreadable", type, status);
    return result;
}

BatchAnswer classify_error(std::string_view type, const ErrorDocument& document,
                           const HttpAnswer& answer, std::size_t count, std::int64_t now_unix) {
    if (auto fault = transport_fault(type, answer)) return *std::move(fault);
    const int status = answer.status;
    auto meaning = document.meaning ? *document.meaning
                   : document.own   ? meaning_of_own(status, document.perhaps_taken)
                                    : meaning_of_foreign(status);
    const bool may_pass = document.meaning && meaning.verdict == Verdict::transient;
    if (may_pass && document.perhaps_taken && is_server_error(status)) meaning = may_be_sent;
    auto result = as_answer(type, meaning, answer, now_unix);
    result.split = status == 413 && count > 1;  // Every recipient adds to its size.
    return result;
}

bool speaks_of_gateway(std::string_view sentence) noexcept {
    constexpr std::array<std::string_view, 8> words{"upstream",   "gateway",      "timed out",
                                                    "timing out", "time-out",     "timeout",
                                                    "balancer",   "origin server"};
    // Amazon's API Gateway, for whatever its integration answered; in capitals it is anybody's.
    if (sentence == "Internal server error") return true;
    return std::any_of(words.begin(), words.end(),
                       [sentence](std::string_view word) { return mentions(sentence, word); });
}

bool parse_object(std::string_view body, boost::json::value& out) {
    boost::json::error_code error;
    out = boost::json::parse(boost::json::string_view{body.data(), body.size()}, error,
                             out.storage());
    return !error && out.is_object();
}

std::string_view string_at(const boost::json::object& object, std::string_view key) {
    const auto* const value = object.if_contains(boost::json::string_view{key.data(), key.size()});
    if (value == nullptr || !value->is_string()) return {};
    const auto& text = value->get_string();
    return {text.data(), text.size()};
}

bool is_storable_id(std::string_view id) noexcept {
    return !id.empty() && id.size() <= 200 &&
           std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

bool mentions(std::string_view text, std::string_view words) noexcept {
    const auto same = [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    };
    return std::search(text.begin(), text.end(), words.begin(), words.end(), same) != text.end();
}

}  // namespace fanfare
