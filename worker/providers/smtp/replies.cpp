#include "worker/providers/smtp/replies.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace fanfare::smtp {
namespace {

using Phrases = std::span<const std::string_view>;

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool is_alnum(char c) noexcept {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

constexpr bool same(char a, char b) noexcept { return lower(a) == lower(b); }

/// Where `words` stand in `text` as whole words, whatever the case; npos if they do not.
std::size_t find_words(std::string_view text, std::string_view words, std::size_t from = 0) {
    while (from + words.size() <= text.size()) {
        const auto found = std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(),
                                       words.begin(), words.end(), same);
        if (found == text.end()) return std::string_view::npos;
        const auto at = static_cast<std::size_t>(found - text.begin());
        const auto end = at + words.size();
        const bool begins = at == 0 || !is_alnum(text[at - 1]);
        const bool ends = end == text.size() || !is_alnum(text[end]);
        if (begins && ends) return at;
        from = at + 1;
    }
    return std::string_view::npos;
}

bool has(std::string_view text, std::string_view words) {
    return find_words(text, words) != std::string_view::npos;
}

bool has_any(std::string_view text, Phrases phrases) {
    return std::any_of(phrases.begin(), phrases.end(),
                       [text](std::string_view words) { return has(text, words); });
}

constexpr std::array<std::string_view, 26> login_words{"authentication required",
                                                       "authentication is required",
                                                       "authentication needed",
                                                       "authentication failed",
                                                       "authentication credentials",
                                                       "authenticate first",
                                                       "must authenticate",
                                                       "must be authenticated",
                                                       "please authenticate",
                                                       "need to authenticate",
                                                       "requires authentication",
                                                       "require authentication",
                                                       "not authenticated",
                                                       "smtp auth",
                                                       "smtp authentication",
                                                       "auth required",
                                                       "login required",
                                                       "log in first",
                                                       "login first",
                                                       "please login",
                                                       "please log in",
                                                       "not logged in",
                                                       "must issue starttls",
                                                       "must issue a starttls",
                                                       "pop before smtp",
                                                       "check your mail first"};

constexpr std::array<std::string_view, 18> relay_words{
    "relay access",  "relay denied", "relay prohibited", "relay not",      "relaying",
    "not relay",     "no relay",     "no relays",        "to relay",       "as a relay",
    "open relay",    "rcpthosts",    "relay is",         "relay rejected", "relay forbidden",
    "relay mail to", "relay for",    "a relay"};

/// What a domain proves of itself; servers speak of "authentication" there too.
constexpr std::array<std::string_view, 4> proof_words{"spf", "dkim", "dmarc", "unauthenticated"};

constexpr std::array<std::string_view, 12> sender_words{
    "sender",       "senders",       "return path", "return-path", "reverse path", "reverse-path",
    "from address", "envelope from", "from header", "mail from",   "callback",     "callout"};

constexpr std::array<std::string_view, 40> host_words{"helo",
                                                      "ehlo",
                                                      "hello name",
                                                      "reverse dns",
                                                      "reverse lookup",
                                                      "reverse hostname",
                                                      "reverse host",
                                                      "reverse record",
                                                      "rdns",
                                                      "fcrdns",
                                                      "ptr",
                                                      "your host",
                                                      "your ip",
                                                      "your server",
                                                      "your mail server",
                                                      "your hostname",
                                                      "your address",
                                                      "your network",
                                                      "your domain",
                                                      "client host",
                                                      "client address",
                                                      "sending host",
                                                      "sending ip",
                                                      "sending server",
                                                      "connecting host",
                                                      "connecting ip",
                                                      "ip address",
                                                      "dynamic ip",
                                                      "blacklist",
                                                      "blacklisted",
                                                      "blocklist",
                                                      "block list",
                                                      "black list",
                                                      "blocked using",
                                                      "dnsbl",
                                                      "rbl",
                                                      "spamhaus",
                                                      "spamcop",
                                                      "country",
                                                      "countries"};

constexpr std::array<std::string_view, 4> reputation_words{"reputation", "listed in", "listed at",
                                                           "listed by"};

/// How much we may send; none of these is said of a mailbox.
constexpr std::array<std::string_view, 27> limit_words{"sending limit",
                                                       "sending quota",
                                                       "sending rate",
                                                       "daily limit",
                                                       "daily quota",
                                                       "daily sending",
                                                       "daily message",
                                                       "hourly limit",
                                                       "hourly quota",
                                                       "per hour",
                                                       "per day",
                                                       "per minute",
                                                       "per connection",
                                                       "message limit",
                                                       "rate limit",
                                                       "rate limited",
                                                       "too many messages",
                                                       "too many emails",
                                                       "too many mails",
                                                       "too much mail",
                                                       "too many connections",
                                                       "too many recipients",
                                                       "too many errors",
                                                       "outgoing",
                                                       "outbound",
                                                       "throttled",
                                                       "slow down"};

constexpr std::array<std::string_view, 9> full_words{
    "mailbox full",   "mailbox is full", "over quota",    "overquota",           "quota exceeded",
    "exceeded quota", "exceeds quota",   "storage limit", "insufficient storage"};

/// Said where the mailbox is not there for anybody. "Mailbox unavailable" alone is RFC 5321's word
/// for every refusal.
constexpr std::array<std::string_view, 69> mailbox_words{"user unknown",
                                                         "unknown user",
                                                         "no such user",
                                                         "no such recipient",
                                                         "no such mailbox",
                                                         "no such address",
                                                         "no such person",
                                                         "no such account",
                                                         "no such local user",
                                                         "no such domain",
                                                         "user not found",
                                                         "recipient not found",
                                                         "mailbox not found",
                                                         "address not found",
                                                         "account not found",
                                                         "domain not found",
                                                         "does not exist",
                                                         "doesn't exist",
                                                         "do not exist",
                                                         "not exist",
                                                         "no longer exists",
                                                         "no longer valid",
                                                         "no longer active",
                                                         "no longer in use",
                                                         "no longer on server",
                                                         "unknown recipient",
                                                         "recipient unknown",
                                                         "unknown mailbox",
                                                         "mailbox unknown",
                                                         "unknown address",
                                                         "address unknown",
                                                         "addressee unknown",
                                                         "unknown local part",
                                                         "unknown local-part",
                                                         "unknown account",
                                                         "account unknown",
                                                         "invalid recipient",
                                                         "invalid mailbox",
                                                         "invalid user",
                                                         "invalid address",
                                                         "recipient invalid",
                                                         "not a valid mailbox",
                                                         "not a valid user",
                                                         "not a valid recipient",
                                                         "not a known user",
                                                         "not a known recipient",
                                                         "not our customer",
                                                         "no mailbox here",
                                                         "no mailbox",
                                                         "bad destination mailbox",
                                                         "unrouteable address",
                                                         "unroutable address",
                                                         "unrouteable domain",
                                                         "unrouteable mail domain",
                                                         "account has been disabled",
                                                         "account is disabled",
                                                         "account disabled",
                                                         "mailbox disabled",
                                                         "mailbox is disabled",
                                                         "mailbox is inactive",
                                                         "user disabled",
                                                         "has been deactivated",
                                                         "user not local",
                                                         "user doesn't have",
                                                         "account is inactive",
                                                         "user is inactive",
                                                         "inactive user",
                                                         "inactive account",
                                                         "illegal alias"};

/// Of a group or mailbox that takes mail from its own house only: nothing wrong with our login.
constexpr std::array<std::string_view, 4> restriction_words{"group", "delivery restriction",
                                                            "resolver", "distribution list"};

constexpr std::array<std::string_view, 24> policy_words{
    "policy",       "policies",     "administrative", "administratively", "prohibited",
    "prohibition",  "spam",         "spammer",        "unsolicited",      "blocked",
    "banned",       "not allowed",  "not permitted",  "not authorized",   "not authorised",
    "unauthorized", "unauthorised", "forbidden",      "restricted",       "security",
    "virus",        "suspicious",   "dynamic",        "not welcome"};

/// True where the one address that a reply names is our own.
bool names_only(std::string_view text, std::string_view sender) {
    if (sender.empty()) return false;
    std::size_t named = 0;
    for (auto at = find_words(text, sender); at != std::string_view::npos;
         at = find_words(text, sender, at + 1)) {
        ++named;
    }
    return named > 0 &&
           named == static_cast<std::size_t>(std::count(text.begin(), text.end(), '@'));
}

bool is_login(const Reply& reply) {
    const int status = reply.status;
    if (status == 530 || status == 534 || status == 535 || status == 538) return true;
    const auto& code = reply.code;
    return code.is(7, 8) || code.is(7, 9) || code.is(7, 11) || has_any(reply.text, login_words);
}

bool is_sender(const Reply& reply, std::string_view sender) {
    const auto& code = reply.code;
    const bool by_code = code.is(1, 7) || code.is(1, 8) || code.is(7, 27) ||
                         (code.category != 0 && code.subject == 7 && code.detail >= 20 &&
                          code.detail <= 26 && code.detail != 25);
    return by_code || has_any(reply.text, sender_words) || names_only(reply.text, sender);
}

bool is_mailbox(const Reply& reply) {
    const auto& code = reply.code;
    const bool by_code = code.is(1, 1) || code.is(1, 2) || code.is(1, 3) || code.is(1, 6) ||
                         code.is(1, 10) || code.is(2, 1);
    return by_code || has_any(reply.text, mailbox_words);
}

bool is_policy(const Reply& reply) {
    if (reply.code.category != 0 && reply.code.subject == 7) return true;
    // Exchange says so of people whom it does not know.
    const bool is_denied =
        has(reply.text, "denied") && !has(reply.text, "recipient address rejected");
    return is_denied || has_any(reply.text, policy_words);
}

/// "5.1.1" at the beginning of `text`.
Enhanced read_code(std::string_view text, int status) noexcept {
    Enhanced code;
    const char* at = text.data();
    const char* const end = at + text.size();
    for (int* const field : {&code.category, &code.subject, &code.detail}) {
        const auto [stop, fault] = std::from_chars(at, end, *field);
        if (fault != std::errc{} || *field < 0 || *field > 999) return {};
        at = stop;
        if (field != &code.detail && (at == end || *at++ != '.')) return {};
    }
    const bool is_whole = at == end || !(is_alnum(*at) || *at == '.');
    return is_whole && code.category == status / 100 ? code : Enhanced{};
}

}  // namespace

Enhanced read_enhanced(std::string_view text, int status) noexcept {
    auto code = read_code(text, status);
    for (auto mark = text.find('#'); code.category == 0 && mark != std::string_view::npos;
         mark = text.find('#', mark + 1)) {
        code = read_code(text.substr(mark + 1), status);
    }
    return code;
}

Topic topic_of(const Reply& reply, std::string_view sender) noexcept {
    const auto text = reply.text;
    // What speaks of us first: such replies quote what another server said of our address.
    if (has_any(text, proof_words)) return Topic::sender;
    if (has_any(text, restriction_words) && !is_mailbox(reply)) return Topic::policy;
    if (is_login(reply)) return Topic::login;
    if (has_any(text, relay_words)) return Topic::relay;
    if (is_sender(reply, sender)) return Topic::sender;
    if (reply.code.is(4, 5) || has_any(text, limit_words)) return Topic::limit;
    if (reply.code.is(7, 25) || has_any(text, host_words) || has_any(text, reputation_words)) {
        return Topic::host;
    }
    if (reply.code.is(2, 2) || has_any(text, full_words)) return Topic::full;
    if (is_mailbox(reply)) return Topic::mailbox;
    return is_policy(reply) ? Topic::policy : Topic::unclear;
}

}  // namespace fanfare::smtp
