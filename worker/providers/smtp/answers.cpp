#include "worker/providers/classification.hpp"
#include "worker/providers/smtp/smtp.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string>

namespace fanfare::smtp {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds wait_short{30};    // A server that is shutting down or too busy.
constexpr seconds wait_passing{60};  // A mailbox in use, a full disk.
constexpr minutes wait_greylist{5};

/// RFC 3463: "5.1.1" at the beginning of a reply. All 0 where there is none.
struct Enhanced {
    int category = 0;
    int subject = 0;
    int detail = 0;
};

Enhanced read_enhanced(std::string_view text, int status) noexcept {
    Enhanced code;
    const char* at = text.data();
    const char* const end = at + text.size();
    for (int* const field : {&code.category, &code.subject, &code.detail}) {
        const auto [stop, fault] = std::from_chars(at, end, *field);
        if (fault != std::errc{} || *field < 0 || *field > 999) return {};
        at = stop;
        if (field != &code.detail && (at == end || *at++ != '.')) return {};
    }
    const bool is_whole = at == end || *at == ' ' || *at == '\n';
    return is_whole && code.category == status / 100 ? code : Enhanced{};
}

bool mentions_any(std::string_view text, std::span<const std::string_view> words) noexcept {
    for (const auto word : words) {
        if (mentions(text, word)) return true;
    }
    return false;
}

bool tells_a_limit(std::string_view text) noexcept {
    constexpr std::array<std::string_view, 8> words{"too many",
                                                    "too much",
                                                    "rate limit",
                                                    "rate exceed",
                                                    "limit exceed",
                                                    "throttl",
                                                    "quota exceeded for sender",
                                                    "slow down"};
    return mentions_any(text, words);
}

/// A refusal that says nothing of whether the address exists.
bool tells_a_policy(std::string_view text) noexcept {
    constexpr std::array<std::string_view, 9> words{
        "spam", "policy", "block", "reputation", "blacklist", "denied", "spf", "dmarc", "relay"};
    return mentions_any(text, words);
}

constexpr Meaning account(std::string_view words) {
    return {Verdict::config, Reason::account_unusable, words};
}
constexpr Meaning passing(std::string_view words, std::chrono::milliseconds wait) {
    return {Verdict::transient, Reason::provider_unavailable, words, wait};
}
constexpr Meaning invalid{Verdict::suppress, Reason::address_invalid, "address unknown"};
constexpr Meaning refused{Verdict::perm_rcpt, Reason::recipient_refused, "recipient refused"};
constexpr Meaning full{Verdict::perm_rcpt, Reason::recipient_refused, "mailbox full"};
constexpr Meaning too_large{Verdict::perm_req, Reason::content_too_large, "message too large"};
constexpr Meaning content{Verdict::perm_req, Reason::request_refused, "message refused"};

/// The codes that mean the same wherever they come up; else `otherwise`.
Meaning permanent(const Enhanced& code, const Meaning& otherwise) noexcept {
    switch (code.subject * 100 + code.detail) {
        case 107:  // The sender's address, ours.
        case 108:
            return account("sender refused");
        case 104:  // Ambiguous.
            return refused;
        case 201:  // Disabled.
            return invalid;
        case 202:
            return full;
        case 203:
        case 304:
            return too_large;
        case 700:
        case 708:
        case 709:
        case 711:
            // "Authentication required", as some word it even at RCPT.
            return code.detail == 0 ? otherwise : account("login needed");
        default:
            return code.subject == 1 ? invalid : otherwise;
    }
}

Meaning of_recipient(int status, const Enhanced& code, std::string_view text) noexcept {
    if (status == 530) return account("login needed");
    if (code.category != 0) {
        return permanent(code, code.subject == 5 ? content : refused);
    }
    const bool is_of_address = status == 550 || status == 551 || status == 553;
    if (is_of_address && !tells_a_policy(text)) return invalid;
    return status == 552 ? full : refused;
}

Meaning of_message(int status, const Enhanced& code) noexcept {
    if (status == 530) return account("login needed");
    if (code.category != 0) return permanent(code, content);
    return status == 552 ? too_large : content;
}

Meaning of_sender(int status, const Enhanced& code) noexcept {
    const bool is_size = status == 552 || (code.subject == 3 && code.detail == 4);
    return is_size ? too_large : account("sender refused");
}

Meaning permanent_at(const HttpAnswer& answer, const Enhanced& code) noexcept {
    switch (answer.step) {
        case MailStep::none:
        case MailStep::connect:
        case MailStep::hello:
        case MailStep::starttls:
            return account("connection refused");
        case MailStep::login:
            return account("login refused");
        case MailStep::sender:
            return of_sender(answer.status, code);
        case MailStep::recipient:
            return of_recipient(answer.status, code, answer.body);
        case MailStep::data:
            // "No valid recipients", for there is only one.
            return code.subject == 5 && code.detail == 1 ? refused
                                                         : of_message(answer.status, code);
        case MailStep::end_of_data:
            return of_message(answer.status, code);
    }
    return content;
}

Meaning passing_at(const HttpAnswer& answer) noexcept {
    if (tells_a_limit(answer.body)) return {Verdict::throttle, Reason::throttled, "too fast"};
    if (answer.step == MailStep::login && answer.status == 432) return account("password expired");
    if (answer.step == MailStep::recipient && answer.status != 421) {
        if (mentions(answer.body, "greylist") || mentions(answer.body, "graylist")) {
            return passing("greylisted", wait_greylist);
        }
        return passing("try again", wait_passing);
    }
    return passing("try again", wait_short);
}

/// "queued as 4ABC" (Postfix), "4abc Message accepted" (OpenSMTPD, sendmail), "id=1a-b" (Exim).
std::string_view queue_id(std::string_view text) noexcept {
    const auto word_at = [text](std::size_t at) {
        const auto end = text.find_first_of(" \n\r;,)", at);
        return text.substr(at, end == std::string_view::npos ? end : end - at);
    };
    for (const std::string_view lead : {"queued as ", " id="}) {
        const auto found = text.find(lead);
        if (found != std::string_view::npos) return word_at(found + lead.size());
    }
    const auto accepted = text.find(" Message accepted");
    if (accepted == std::string_view::npos || accepted == 0) return {};
    const auto begin = text.find_last_of(" \n", accepted - 1);
    return word_at(begin == std::string_view::npos ? 0 : begin + 1);
}

/// An id is made of what queue ids are made of: a server that repeats an address is not read.
bool is_queue_id(std::string_view id) noexcept {
    return is_storable_id(id) && id.find('@') == std::string_view::npos && id.size() <= 64;
}

}  // namespace

BatchAnswer read_answer(const HttpAnswer& answer) {
    if (auto fault = transport_fault(type, answer)) return *std::move(fault);
    if (is_success(answer.status)) {
        const auto id = queue_id(answer.body);
        if (is_queue_id(id)) return accepted(std::string{id});
        if (is_storable_id(answer.message_id)) return accepted(answer.message_id);
        return unreadable(type, answer.status);
    }
    if (answer.status < 400 || answer.status > 599) return unreadable(type, answer.status);
    const auto code = read_enhanced(answer.body, answer.status);
    const auto meaning = answer.status < 500 ? passing_at(answer) : permanent_at(answer, code);
    auto result = as_answer(type, meaning, answer, 0);
    if (code.category != 0) {
        result.detail = fmt::format("{} {} {}.{}.{}: {}", type, answer.status, code.category,
                                    code.subject, code.detail, meaning.words);
    }
    result.fewer_requests = meaning.verdict == Verdict::throttle && answer.status == 421;
    return result;
}

}  // namespace fanfare::smtp
