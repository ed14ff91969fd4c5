// Only what surely names the recipient's mailbox suppresses: a table of refusals as mail servers
// word them, each also in capitals and broken over lines.
#include "core/providers/smtp/smtp.hpp"
#include "tests/unit/providers/answer_case.hpp"

#include <algorithm>
#include <vector>

namespace fanfare::testing {
namespace {

constexpr auto rcpt = MailStep::recipient;
constexpr auto end = MailStep::end_of_data;

struct Refusal {
    int status;
    std::string text;
    MailStep step = rcpt;
};

BatchAnswer read(const Refusal& refusal) {
    auto answer = answered(refusal.status, refusal.text);
    answer.step = refusal.step;
    return smtp::read_answer(answer, {"shows@mg.example.org", "shows-login", "mailer.example.org"});
}

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return text;
}

/// Each word on a line of its own, behind the code where there is one.
std::string in_lines(const std::string& text) {
    const bool has_code = text.size() > 6 && text[0] == '5' && text[1] == '.' && text[3] == '.';
    const auto code = has_code ? text.substr(0, text.find(' ') + 1) : std::string{};
    std::string lines;
    for (std::size_t at = code.size(); at < text.size(); ++at) {
        lines.push_back(text[at]);
        if (text[at] == ' ') lines.append("\n").append(code);
    }
    return code + lines;
}

std::vector<Refusal> spellings(const Refusal& refusal) {
    auto capitals = refusal;
    capitals.text = upper(refusal.text);
    auto lines = refusal;
    lines.text = in_lines(refusal.text);
    return {refusal, capitals, lines};
}

const std::vector<Refusal> of_the_mailbox{
    // Postfix, Exim, Sendmail, qmail.
    {550, "5.1.1 <bob@one.example>: Recipient address rejected: User unknown in local table"},
    {550,
     "5.1.1 <bob@one.example>: Recipient address rejected: User unknown in virtual mailbox "
     "table"},
    {550, "<bob@one.example>: Recipient address rejected: User unknown in relay recipient table"},
    {550, "Unrouteable address"},
    {550, "No such user here"},
    {550, "unknown user"},
    {550, "Unknown local part bob in <bob@one.example>"},
    {550, "5.1.1 <bob@one.example>... User unknown"},
    {550, "5.1.2 <bob@one.example>... Host unknown (Name server: one.example: host not found)"},
    {553, "<bob@one.example>... No such user"},
    {511, "sorry, no mailbox here by that name (#5.1.1 - chkuser)"},
    {550, "sorry, no mailbox here by that name. (#5.1.1)"},
    {551, "User not local; please try <forward@one.example>"},
    {551, "5.1.6 recipient has moved"},
    // Exchange and Microsoft 365.
    {550,
     "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient bob@one.example not found by SMTP "
     "address lookup"},
    {550, "5.1.1 RESOLVER.ADR.ExRecipNotFound; not found"},
    {550, "5.1.1 User unknown"},
    {556, "5.1.10 Recipient address rejected: Domain one.example does not accept mail (nullMX)"},
    // Gmail, Yahoo, others.
    {550,
     "5.1.1 The email account that you tried to reach does not exist. Please try "
     "double-checking the recipient's email address for typos or unnecessary spaces. For more "
     "information, go to https://support.google.com/mail/?p=NoSuchUser x-spam.42 - gsmtp"},
    {550,
     "5.2.1 The email account that you tried to reach is disabled. For more information, go "
     "to https://support.google.com/mail/?p=DisabledUser a1-20020 - gsmtp"},
    {550, "5.2.1 The email account that you tried to reach is inactive."},
    {550, "5.2.1 mailbox disabled, not accepting messages"},
    {554, "delivery error: dd This user doesn't have a yahoo.com account (bob@yahoo.com) [0]"},
    {554, "delivery error: dd This user doesn\xE2\x80\x99t have a yahoo.com account"},
    {554,
     "30 Sorry, your message to bob@yahoo.com cannot be delivered. This mailbox is disabled "
     "(554.30)."},
    {550, "#5.1.0 Address rejected: no such user"},
    {550, "5.1.1 <bob@one.example> Adresse d au moins un destinataire invalide"},
    {550, "5.1.1 Empf\xC3\xA4nger unbekannt"},
    {550, "5.1.1 Destinataire inconnu"},
    {550, "5.1.1 mailbox unavailable"},
    {550, "5.1.1 No such recipient. Please check the address and try again."},
    {550, "Mailbox not found"},
    {550, "The recipient's mailbox does not exist"},
    {550, "bob@one.example: no such address"},
    {550, "<bob@one.example> does not exist here"},
    {550, "Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550 [x.uk123]"},
    {550, "permanent failure for one or more recipients (bob@one.example:550 5.1.1 User unknown)"},
    {550, "recipient rejected: user unknown in virtual mailbox table"},
    {550, "5.0.0 Recipient unknown"},
    {550, "Account not found: bob@one.example"},
    {550, "<spam-policy@relay.example>: user unknown"},
    {550, "user unknown (host blocked.helo.example[192.0.2.1])"},
    // After DATA only by the code, or where the recipient is named.
    {550, "5.1.1 User unknown", end},
    {550, "5.1.10 Recipient not found", end},
    {550, "<bob@one.example>: user unknown", end},
};

const std::vector<Refusal> of_others{
    // Passing, or so many mails: the mailbox is there.
    {550,
     "5.2.1 The user you are trying to contact is receiving mail too quickly. Please resend "
     "your message at a later time."},
    {550,
     "5.2.1 The user you are trying to contact is receiving mail at a rate that prevents "
     "additional messages from being delivered."},
    {550, "5.2.1 mailbox temporarily disabled, try again later"},
    {550, "5.2.1 Mailbox is receiving too many messages"},
    {550, "5.1.1 service temporarily unavailable"},
    {550, "5.1.1 User lookup failed, please try again"},
    {550, "No such user at the moment, retry"},
    {550, "5.2.1 mailbox locked"},
    {550, "5.2.1 this account is currently suspended"},
    {550, "5.2.1 busy"},
    {550,
     "5.1.1 Dienst vor\xC3\xBC"
     "bergehend nicht erreichbar"},
    {550, "5.1.1 Service temporairement indisponible"},
    {550, "5.2.1 mailbox disabled until tomorrow"},
    {550, "5.1.1 unable to verify user"},
    {550, "5.1.1 user lookup failed, system error"},
    // Our account or login.
    {550, "5.1.1 Ihr Konto ist gesperrt"},
    {550, "5.1.1 Votre compte est inconnu"},
    {550, "Your account has been disabled for sending spam"},
    {550, "5.7.1 Your account has been disabled, contact support"},
    {550, "5.1.1 Your account does not exist"},
    {550, "trial account has expired: account is disabled"},
    {550, "Sending account not found"},
    {550, "SMTP account is disabled"},
    {550, "account disabled"},
    {550, "account not found"},
    {550, "5.1.1 message quota of your plan reached"},
    {550, "5.2.1 subscription unpaid, account is disabled"},
    {554, "5.7.1 account disabled: unusual sending activity", end},
    {550, "5.1.1 Your message was blocked, your account is inactive", end},
    {550, "invalid user name or password"},
    {550, "unknown user name or bad password"},
    {550, "Invalid username"},
    {550, "5.1.1 invalid credentials: no such user"},
    {550, "User not found: you must log in to send"},
    {550, "Unknown user in SASL database"},
    {550, "unknown user: shows"},
    {550, "unknown user shows-login"},
    {550, "shows... User unknown"},
    {550, "No such user 'shows'"},
    // Our sender and domain.
    {550, "Domain mg.example.org does not exist"},
    {550, "5.7.1 mg.example.org: domain not found"},
    {550, "5.1.2 domain of shows@mg.example.org does not exist"},
    {550, "5.1.2 <bob@one.example>: domain MG.example.org not found"},
    {550, "No such user shows@mg.example.org here"},
    {550, "5.2.1 shows@mg.example.org: mailbox disabled, not accepting messages"},
    {550, "The domain in your From does not exist in DNS"},
    {550, "Envelope address does not exist"},
    {550, "Return address does not exist"},
    {550, "5.1.1 Sender mailbox does not exist"},
    {550, "mail from an address that does not exist is not accepted"},
    {550, "Unrouteable address: verify failed for shows@mg.example.org"},
    {550, "5.1.1 originator address unknown"},
    {550, "5.1.1 Absender unbekannt"},
    {550, "5.1.1 no mail from you"},
    // Our host.
    {550, "Client hostname does not exist"},
    {550, "Host name does not exist for 203.0.113.9"},
    {550, "5.1.2 mailer.example.org: host unknown"},
    {550, "5.1.1 Your server is not in our whitelist"},
    {550, "No such user is allowed to send from this host"},
    {553, "5.3.0 <bob@one.example>... DNSBL: no such user policy"},
    {550, "5.1.1 HELO: no such domain"},
    {550, "Reverse DNS does not exist"},
    // Said by another server, and repeated.
    {550,
     "5.1.1 <bob@one.example>: undeliverable address: host mx.one.example[192.0.2.1] said: 550 "
     "5.7.1 message quota of your plan reached"},
    {550, "5.1.1 undeliverable address: host mx.one.example said: 550-5.7.1 no"},
    {550, "5.1.1 undeliverable: said: 450 4.2.1 no"},
    {550, "5.1.1 said: 554 5.7.1 unknown"},
    // The message.
    {554, "Message rejected: link to a page that does not exist", end},
    {550, "5.6.0 Attachment type does not exist", end},
    {554, "Transaction failed: header Reply-To: address not found", end},
    {550, "5.1.1 The message contains a URL listed in SURBL", end},
    {550, "5.1.1 Message rejected as spam", end},
    {550, "user unknown", end},
    {554, "unknown address", end},
    {554, "Message-ID: domain does not exist", end},
    {550, "5.6.0 <bob@one.example>: unknown user in header To", end},
    {550, "5.1.1 virus found", end},
    {550, "5.1.1 Content rejected"},
    {550, "<bob@one.example>: unknown error"},
    // Words and code disagree.
    {550, "5.7.1 User unknown"},
    {554, "5.7.1 Benutzer unbekannt"},
    {550, "5.3.0 No such user"},
    {550, "5.4.1 Recipient address rejected: Access denied. AS(201806281)"},
    {550, "5.4.4 unknown user"},
    {550, "5.4.310 DNS domain does not exist"},
    {550, "5.5.0 user unknown"},
    {550, "5.6.1 recipient unknown"},
    {550, "4.1.1 user unknown"},
    {550, "5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required"},
    {550, "5.1.1 <bob@one.example>: recipient address rejected by policy"},
    {550, "5.1.1 Utilisateur inconnu, envoyez plus tard"},
    {552, "user unknown"},
    {535, "user unknown"},
    {502, "unknown user command"},
    // One recipient's rules.
    {554,
     "5.7.9 Message not accepted for policy reasons. See "
     "https://postmaster.yahooinc.com/error-codes",
     end},
    {550, "5.7.1 Sender must be authenticated to send to this recipient"},
    {550, "5.7.1 This list only takes mail from members; authentication required"},
    {550, "5.1.1 only members may send to this list"},
    {550, "Recipient does not accept mail: not found in allow list"},
    {550, "5.7.1 Authentication required to send to this group", end},
    {550, "5.7.8 This mailbox takes mail of authenticated senders only"},
    {550, "5.7.11 policy requires encryption for this recipient"},
    {550, "authentication required by the policy of the recipient", end},
    {550, "5.1.1 You are not a subscriber"},
    {550, "5.1.1 connection rejected, low score"},
    // Nothing sure.
    {550, "mailbox unavailable"},
    {550, "5.2.1 no"},
    {550, "5.1.0 Address rejected"},
    {550, "user disabled"},
    {550, "Domain not found"},
    {550, "does not exist"},
};

TEST(SmtpRefusals, OfTheMailboxSuppress) {
    for (const auto& row : of_the_mailbox) {
        for (const auto& spelt : spellings(row)) {
            const auto answer = read(spelt);
            EXPECT_EQ(to_string(answer.verdict), to_string(Verdict::suppress)) << spelt.text;
            EXPECT_EQ(answer.reason, Reason::address_invalid) << spelt.text;
            EXPECT_EQ(answer.of_us, "") << spelt.text;
        }
    }
}

TEST(SmtpRefusals, OfAnythingElseSuppressNobody) {
    for (const auto& row : of_others) {
        for (const auto& spelt : spellings(row)) {
            const auto answer = read(spelt);
            EXPECT_NE(answer.verdict, Verdict::suppress) << spelt.text;
            EXPECT_NE(answer.reason, Reason::address_invalid) << spelt.text;
            const bool asks = spelt.status == 535;
            EXPECT_EQ(answer.verdict == Verdict::config, asks) << spelt.text;
        }
    }
}

TEST(SmtpRefusals, OfUsAreSaidOfUs) {
    const auto of_us = [](int status, std::string text, MailStep step = rcpt) {
        return read({status, std::move(text), step}).of_us;
    };
    EXPECT_EQ(of_us(550, "Your account has been disabled"), "our account refused");
    EXPECT_EQ(of_us(554, "5.7.1 unusual sending activity", end), "our account refused");
    EXPECT_EQ(of_us(550, "Domain mg.example.org does not exist"), "sender refused");
    EXPECT_EQ(of_us(550, "unknown user: shows"), "sender refused");
    EXPECT_EQ(of_us(550, "Client hostname does not exist"), "our host refused");
    EXPECT_EQ(of_us(550, "5.2.1 receiving too many messages"), "") << "by all, not by us";
    EXPECT_EQ(of_us(550, "5.1.1 <ann@mg.example.org>: user unknown at mg.example.org"), "");
}

TEST(SmtpRefusals, OfANeighbourOfOursSuppressThatOne) {
    EXPECT_EQ(read({550, "<ann@mg.example.org>: user unknown at mg.example.org"}).verdict,
              Verdict::suppress);
}

}  // namespace
}  // namespace fanfare::testing
