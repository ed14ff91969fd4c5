#include "worker/providers/classification.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace fanfare {
namespace {

Meaning meaning_of_status(int status) noexcept {
    switch (status) {
        case 400:
        case 414:
        case 415:
        case 422:
            return {Verdict::perm_req, Reason::request_refused, "request refused"};
        case 413:
            return {Verdict::perm_req, Reason::content_too_large, "request too large"};
        case 408:
        case 425:
            return {Verdict::transient, Reason::provider_unavailable, "try again"};
        case 429:
            return {Verdict::throttle, Reason::throttled, "too fast"};
        default:
            break;
    }
    if (is_success(status)) return {Verdict::ok, Reason::none, ""};
    if (status >= 500 && status <= 599) {
        return {Verdict::transient, Reason::provider_unavailable, "provider's fault"};
    }
    // Also redirects, which are never followed with credentials, and what is no status.
    return {Verdict::config, Reason::account_unusable, "account or address of the API"};
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
    result.detail = fmt::format("{}: {}", type, never_left ? "not sent" : "answer lost");
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

BatchAnswer classify_by_status(std::string_view type, const HttpAnswer& answer,
                               std::int64_t now_unix) {
    if (auto fault = transport_fault(type, answer)) return *std::move(fault);
    auto result = as_answer(type, meaning_of_status(answer.status), answer, now_unix);
    result.detail = fmt::format("{} {}", type, answer.status);
    return result;
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
