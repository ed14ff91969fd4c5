#include "core/providers/smtp/replies.hpp"

#include "core/providers/smtp/mailbox_words.hpp"

#include <algorithm>

namespace fanfare::smtp {
namespace {

constexpr std::string_view login_words =
    "authentication required|authentication is required|authentication needed|"
    "authentication failed|authentication unsuccessful|authentication credentials|"
    "authenticate first|must authenticate|must be authenticated|please authenticate|"
    "need to authenticate|requires authentication|require authentication|not authenticated|"
    "smtp auth|auth required|login required|login needed|log in|logged in|login first|"
    "please login|must login|sign in|must issue starttls|must issue a starttls|pop before smtp|"
    "check your mail first|auth first|auth command|authentication first";

/// One recipient's rules may ask for a login as well: that of the sender there, not ours here.
constexpr std::string_view restriction_words =
    "group|groups|delivery restriction|resolver|distribution list|list|lists|member|members|"
    "membership|subscriber|subscribers|to this recipient|this recipient|to this address|"
    "this mailbox|to this user|this user|internal|sender must|senders must|sender not|"
    "only accepts|only takes|policy|policies";

/// Ours at a mail server: none of these is said of a recipient's.
constexpr std::string_view account_words =
    "password|passwords|user name|username|usernames|userid|user id|credential|credentials|sasl|"
    "trial|subscription|plan|plans|billing|payment|invoice|unpaid|expired|api key|sending account|"
    "sender account|smtp account|relay account|sending user|submission|upgrade|"
    "ihr konto|ihr server|ihre domain|ihre ip|votre compte|votre serveur|votre domaine|votre ip|"
    "passwort|kennwort|anmeldung|mot de passe|authentifizierung|authentification|"
    "unusual sending|sending activity|contact support|compromised";

constexpr std::string_view relay_words =
    "relay access|relay denied|relay prohibited|relay not|relaying|not relay|no relay|no relays|"
    "to relay|as a relay|open relay|rcpthosts|relay is|relay rejected|relay forbidden|"
    "relay mail to|relay for|a relay";

/// What a domain proves of itself; servers speak of "authentication" there too.
constexpr std::string_view proof_words = "spf|dkim|dmarc|arc|unauthenticated|domainkeys";

constexpr std::string_view sender_words =
    "sender|senders|return path|returnpath|return address|reverse path|from address|"
    "envelope address|envelope from|envelope sender|from header|from field|from domain|"
    "mail from|mailfrom|your from|from is|originator|originating|callback|callout|"
    "to send from|send mail from|verify failed|verification failed|sending address|"
    "sending domain|absender|exp\xC3\xA9"
    "diteur|remitente";

constexpr std::string_view host_words =
    "helo|ehlo|hello name|reverse dns|reverse lookup|reverse hostname|reverse host|"
    "reverse record|rdns|fcrdns|ptr|hostname|host name|client host|client address|client ip|"
    "client name|client|sending host|sending ip|sending server|sending mta|connecting host|"
    "connecting ip|connecting server|from this host|from host|ip address|ip|"
    "dynamic ip|blacklist|blacklisted|blocklist|blocklisted|block list|black list|whitelist|"
    "whitelisted|white list|allowlist|allow list|denylist|blocked using|dnsbl|dnsrbl|rbl|rbls|"
    "spamhaus|spamcop|barracudacentral|sorbs|country|countries|reputation|listed in|listed at|"
    "listed by|listed on|geoip|asn|tls|ssl|starttls|certificate|encryption";

/// How much we may send; none of these is said of a mailbox.
constexpr std::string_view limit_words =
    "sending limit|sending limits|sending quota|sending rate|send limit|send quota|daily limit|"
    "daily quota|daily sending|daily message|daily user|hourly limit|hourly quota|monthly limit|"
    "monthly quota|per hour|per day|per minute|per second|per month|per connection|message limit|"
    "message quota|mail quota|rate limit|rate limits|rate limited|rate limiting|ratelimit|"
    "ratelimited|limit exceeded|limit reached|exceeded limit|too many messages|too many emails|"
    "too many mails|too many|too much mail|too much|outgoing|outbound|throttled|throttling|"
    "slow down|quota exceeded for sender|a rate that|at a rate|"
    "maximum number|limit of|message rate|mail rate|rate exceeded";

constexpr std::string_view full_words =
    "mailbox full|mailbox is full|inbox full|inbox is full|over quota|overquota|quota exceeded|"
    "exceeded quota|exceeds quota|exceeded storage|exceeded its quota|quota|out of storage|"
    "storage limit|insufficient storage|storage";

/// Soon it may be otherwise.
constexpr std::string_view passing_words =
    "temporarily|temporary|temporaily|transient|later|too quickly|too fast|too frequently|"
    "too often|too soon|at this time|at the moment|at present|right now|currently|for now|"
    "momentarily|greylisted|graylisted|greylist|greylisting|graylisting|retry|retrying|"
    "again in|again after|again tomorrow|busy|overloaded|maintenance|service unavailable|"
    "service not available|timed out|timeout|locked|suspended|suspension|frozen|on hold|"
    "until|tomorrow|today|wait|minutes|hours|seconds|soon|shortly|not verified|unverified|"
    "unable to verify|could not verify|cannot verify|internal error|server error|system error|"
    "database error|lookup failed|lookup failure|lookup error|server unavailable|"
    "over limit|out of office|on vacation|vor\xC3\xBC"
    "bergehend|sp\xC3\xA4ter|zeitweise|"
    "temporairement|temporaire|plus tard|ult\xC3\xA9rieurement|temporalmente|m\xC3\xA1s tarde";

constexpr std::string_view message_words =
    "attachment|attachments|attached|url|urls|uri|link|links|page|pages|website|header|headers|"
    "reply to|in reply|body|subject|mime|content|contents|surbl|uribl|html|virus|viruses|"
    "malware|phishing|message blocked|message was blocked|message has been blocked|"
    "message rejected|message was rejected|message refused|message not accepted|"
    "message contains|message id|message size|message too|too large|too big|charset|"
    "line length|bare lf|image|images|looks like|classified";

/// Said of the mailbox they would not stand there.
constexpr std::string_view policy_words =
    "policy|policies|administrative|administratively|administrator prohibited|prohibited|"
    "prohibition|spam|spammer|spammers|spamming|junk|bulk|unsolicited|blocked|banned|allowed|"
    "permitted|permission|authorized|authorised|unauthorized|unauthorised|forbidden|restricted|"
    "restriction|restrictions|security|suspicious|dynamic|not welcome|abuse|abusive|"
    "member|members|subscriber|subscribers|may send|can send|connection|connections|"
    "score|scored|untrusted|quarantined|challenge|moderated|to send|only accepts|only "
    "accept|rule|rules|"
    "violation|violates|filter|filtered|filtering|blacklists|unusual|trusted|internal";

/// What is ours: "your account". What replies to senders call theirs otherwise is no word of us:
/// "your message to ...", "check your spelling".
bool speaks_of_ours(const ReplyText& text) {
    if (text.has_any("you are not|you must|you need|you have been|you have exceeded|you cannot|"
                     "you may not|you should|youve|youre not|from you")) {
        return true;
    }
    constexpr std::string_view theirs =
        " message messages mail email e request entry recipient recipients spelling typing "
        "contact contacts correspondent addressee ";
    const auto& words = text.words();
    for (std::size_t at = 0; at + 1 < words.size(); ++at) {
        if (words[at] != "your") continue;
        if (theirs.find(" " + words[at + 1] + " ") == std::string_view::npos) return true;
    }
    return text.has_any(
        "your mail server|your email server|your mail account|your email account|"
        "your mail address|your email address|your mail host|your email provider|"
        "your mail provider|your email service|your email domain|your e mail account|"
        "your e mail address|your mail system|your email system|your mail client");
}

bool is_login(const Reply& reply, const ReplyText& text) {
    const auto& code = reply.code;
    return asks_for_login(reply.status) || code.is(7, 8) || code.is(7, 9) || code.is(7, 11) ||
           text.has_any(login_words);
}

bool is_sender(const Reply& reply, const ReplyText& text) {
    const auto& code = reply.code;
    const bool by_code = code.is(1, 7) || code.is(1, 8) || code.is(1, 9) || code.is(7, 27) ||
                         (code.category != 0 && code.subject == 7 && code.detail >= 20 &&
                          code.detail <= 26 && code.detail != 25);
    return by_code || text.has_any(sender_words) || text.names_us();
}

/// The codes that name the mailbox whatever the words.
bool is_address_code(const Enhanced& code) noexcept {
    return code.is(1, 1) || code.is(1, 2) || code.is(1, 3) || code.is(1, 6) || code.is(1, 10);
}

/// True where no code speaks of anything else, here or where a server repeats another's reply.
bool codes_agree(const Reply& reply, const ReplyText& text) {
    const auto fits = [](const Enhanced& code) {
        return code.category == 5 && (is_address_code(code) || code.is(0, 0) || code.is(1, 0) ||
                                      code.is(2, 0) || code.is(2, 1));
    };
    return (reply.code.category == 0 || fits(reply.code)) &&
           std::all_of(text.codes().begin(), text.codes().end(), fits);
}

/// What speaks of commands, logins, sizes or whole servers is not said of a mailbox.
bool is_of_mailboxes(int status) noexcept {
    return status == 510 || status == 511 || status == 550 || status == 551 || status == 553 ||
           status == 554 || status == 556;
}

bool is_mailbox(const Reply& reply, const ReplyText& text) {
    if (!codes_agree(reply, text)) return false;
    const auto& code = reply.code;
    if (is_address_code(code)) return true;
    if (!is_of_mailboxes(reply.status)) return false;
    const auto words = mailbox_words(text);
    if (words == MailboxWords::none) return false;
    const bool is_named = text.names_other() || text.has_any(
                                                    "recipient|tried to reach|trying to reach|"
                                                    "tried to contact|trying to contact");
    // Codes say nothing of a name; at the end of a message words alone may be about that.
    if (reply.after_data) return is_named && words == MailboxWords::strong;
    return words == MailboxWords::strong || is_named || code.is(2, 1);
}

bool is_policy(const Reply& reply, const ReplyText& text) {
    if (reply.code.category != 0 && reply.code.subject == 7) return true;
    // Exchange says so of people whom it does not know.
    const bool is_denied = text.has_any("denied") && !text.has_any("recipient address rejected");
    return is_denied || text.has_any(policy_words);
}

/// Whom a reply speaks of that does not speak of us.
Topic topic_of_theirs(const Reply& reply, const ReplyText& text) {
    // A phrase to check the address and send again is no promise.
    const bool again = text.has_any("try again|resend|send again") &&
                       !text.has_any("check|verify|correct|spelling");
    if (text.has_any(message_words)) return Topic::message;
    if (reply.code.is(2, 2) || text.has_any(full_words)) return Topic::full;
    if (again || text.has_any(passing_words)) return Topic::passing;
    if (is_policy(reply, text)) return Topic::policy;
    return is_mailbox(reply, text) ? Topic::mailbox : Topic::unclear;
}

}  // namespace

Topic find_topic(const Reply& reply, const OurNames& ours) {
    const ReplyText text{reply.text, ours};
    // What speaks of us first: such replies quote what another server said of our address.
    if (text.has_any(proof_words)) return Topic::sender;
    if (is_login(reply, text)) {
        return text.has_any(restriction_words) ? Topic::policy : Topic::login;
    }
    if (text.has_any("group|delivery restriction|distribution list") &&
        !is_address_code(reply.code)) {
        return Topic::policy;
    }
    if (text.has_any(account_words)) return Topic::account;
    if (text.has_any(relay_words)) return Topic::relay;
    if (is_sender(reply, text)) return Topic::sender;
    const bool is_limit = reply.code.is(4, 5) || text.has_any(limit_words);
    // Of a mailbox that is sent too much, by all.
    if (is_limit) return reply.code.subject == 2 ? Topic::passing : Topic::limit;
    if (reply.code.is(7, 25) || text.has_any(host_words)) return Topic::host;
    if (speaks_of_ours(text)) return Topic::account;
    return topic_of_theirs(reply, text);
}

}  // namespace fanfare::smtp
