#include "core/providers/classification.hpp"
#include "core/providers/smtp/replies.hpp"
#include "core/providers/smtp/smtp.hpp"

#include <fmt/format.h>

#include <array>
#include <span>
#include <string>

namespace fanfare::smtp {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds wait_short{30};    // A server that is shutting down or too busy.
constexpr seconds wait_passing{60};  // A mailbox in use, a full disk.
constexpr minutes wait_greylist{5};
constexpr std::size_t text_bytes_max = 1'024;  // Of a reply: what is said is said by then.

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

/// What a refusal says of us; "" where it does not. Such a one is the account's fault only where
/// more than one recipient's server says so: see BatchAnswer::of_us.
std::string_view describe(Topic topic) noexcept {
    switch (topic) {
        case Topic::relay:
            return "relay denied";
        case Topic::sender:
            return "sender refused";
        case Topic::host:
            return "our host refused";
        case Topic::limit:
            return "sending limit reached";
        case Topic::policy:
            return "refused by policy";
        case Topic::login:
            return "login needed";
        case Topic::account:
            return "our account refused";
        case Topic::unclear:
        case Topic::mailbox:
        case Topic::full:
        case Topic::passing:
        case Topic::message:
            return {};
    }
    return {};
}

/// The server asks for a login in so many digits. Whether it can mean ours is known where it is
/// known what it took before: see SenderRefusals.
bool is_login_missing(const Reply& reply, Topic topic) noexcept {
    return topic == Topic::login && asks_for_login(reply.status);
}

Meaning of_recipient(const Reply& reply, Topic topic) noexcept {
    if (is_login_missing(reply, topic)) return account(describe(topic));
    if (topic == Topic::mailbox) return invalid;
    if (topic == Topic::full) return full;
    if (const auto words = describe(topic); !words.empty()) {
        return {Verdict::perm_rcpt, Reason::recipient_refused, words};
    }
    const auto& code = reply.code;
    if (code.is(2, 3) || code.is(3, 4)) return too_large;
    return code.subject == 5 && code.detail != 0 ? content : refused;
}

Meaning of_message(const Reply& reply, Topic topic) noexcept {
    if (is_login_missing(reply, topic)) return account(describe(topic));
    if (is_of_us(topic)) {
        return {Verdict::perm_rcpt, Reason::recipient_refused, describe(topic)};
    }
    const auto& code = reply.code;
    if (code.is(2, 3) || code.is(3, 4)) return too_large;
    if (topic == Topic::mailbox) return invalid;
    if (topic == Topic::full && code.category != 0) return full;
    return code.category == 0 && reply.status == 552 ? too_large : content;
}

Meaning of_sender(const Reply& reply) noexcept {
    const bool is_size = reply.status == 552 || reply.code.is(3, 4);
    return is_size ? too_large : account("sender refused");
}

Meaning permanent_at(MailStep step, const Reply& reply, Topic topic) noexcept {
    switch (step) {
        case MailStep::none:
        case MailStep::connect:
        case MailStep::hello:
        case MailStep::starttls:
            return account("connection refused");
        case MailStep::login:
            return account("login refused");
        case MailStep::sender:
            return of_sender(reply);
        case MailStep::recipient:
            return of_recipient(reply, topic);
        case MailStep::data:
            // "No valid recipients", for there is only one.
            return reply.code.is(5, 1) ? refused : of_message(reply, topic);
        case MailStep::end_of_data:
            return of_message(reply, topic);
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

BatchAnswer read_answer(const HttpAnswer& answer, const OurNames& ours) {
    if (auto fault = transport_fault(type, answer)) return *std::move(fault);
    if (is_success(answer.status)) {
        const auto id = queue_id(answer.body);
        if (is_queue_id(id)) return accepted(std::string{id});
        if (is_storable_id(answer.message_id)) return accepted(answer.message_id);
        return unreadable(type, answer.status);
    }
    if (answer.status < 400 || answer.status > 599) return unreadable(type, answer.status);
    const auto text = std::string_view{answer.body}.substr(0, text_bytes_max);
    const bool after_data = answer.step == MailStep::data || answer.step == MailStep::end_of_data;
    const Reply reply{answer.status, read_enhanced(text, answer.status), text, after_data};
    const auto topic = find_topic(reply, ours);
    const bool is_passing = answer.status < 500;
    const auto meaning = is_passing ? passing_at(answer) : permanent_at(answer.step, reply, topic);
    auto result = as_answer(type, meaning, answer, 0);
    const auto& code = reply.code;
    if (code.category != 0) {
        result.detail = fmt::format("{} {} {}.{}.{}: {}", type, answer.status, code.category,
                                    code.subject, code.detail, meaning.words);
    }
    result.fewer_requests = meaning.verdict == Verdict::throttle && answer.status == 421;
    // A mailbox that is sent too much, by whomever, holds up nobody else.
    result.recipient_only = meaning.verdict == Verdict::throttle && code.subject == 2 &&
                            answer.step == MailStep::recipient;
    const bool is_refused = meaning.verdict == Verdict::perm_rcpt;
    // Passing refusals name the policy when they mean a greylist: those are of no account.
    const bool is_put_off = meaning.verdict == Verdict::transient && is_of_us(topic) &&
                            answer.step == MailStep::recipient;
    const bool is_asked = answer.step >= MailStep::recipient && is_login_missing(reply, topic);
    if (is_refused || is_put_off || is_asked) result.of_us = describe(topic);
    return result;
}

}  // namespace fanfare::smtp
