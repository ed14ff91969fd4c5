// A refusal of us is not a refusal of them: replies to RCPT as real servers word them.
#include "core/providers/smtp/replies.hpp"
#include "core/providers/smtp/smtp.hpp"
#include "tests/unit/providers/answer_case.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <fstream>
#include <iterator>

namespace fanfare::testing {
namespace {

BatchAnswer read(int status, std::string text, MailStep step = MailStep::recipient) {
    auto answer = answered(status, std::move(text));
    answer.step = step;
    return smtp::read_answer(answer, {"Shows@mg.example.org", "", "mg.example.org"});
}

/// "suppress", "account" or "refused": what a reply means for the recipient.
std::string right(const BatchAnswer& answer) {
    if (answer.verdict == Verdict::suppress) return "suppress";
    const bool is_ours = answer.verdict == Verdict::config || !answer.of_us.empty();
    if (is_ours) return "account";
    return answer.verdict == Verdict::perm_rcpt ? "refused" : "other";
}

TEST(SmtpReplies, MeanWhatThePublicOnesMean) {
    std::ifstream file{FANFARE_SOURCE_DIR "/tests/fixtures/cases/smtp_replies.json"};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    const auto cases = boost::json::parse(text).as_array();
    EXPECT_GE(cases.size(), 14U);
    for (const auto& entry : cases) {
        std::string reply;
        int status = 0;
        for (const auto& each : entry.at("lines").as_array()) {
            const std::string line{each.as_string().c_str()};
            status = std::stoi(line.substr(0, 3));
            reply += (reply.empty() ? "" : "\n") + line.substr(4);
        }
        EXPECT_EQ(right(read(status, reply)), std::string{entry.at("right").as_string().c_str()})
            << reply;
    }
}

struct Row {
    int status;
    std::string text;
    std::string right;
};

const std::vector<Row> rows{
    // The mailbox.
    {550, "5.1.1 <bob@example.com>: Recipient address rejected: User unknown in local table",
     "suppress"},
    {550, "5.1.1 The email account that you tried to reach does not exist.", "suppress"},
    {550, "unknown user", "suppress"},
    {550, "Invalid recipient <bob@example.com> (#5.1.1)", "suppress"},
    {550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP lookup", "suppress"},
    {554, "30 Sorry, your message to bob@example.com cannot be delivered. This mailbox is disabled",
     "suppress"},
    {550, "5.2.1 The email account that you tried to reach is inactive", "suppress"},
    {550, "5.1.1 Not our Customer", "suppress"},
    {550, "5.1.1 <bob@example.com> is unknown here, SMTP lookup", "suppress"},
    {511, "sorry, no mailbox here by that name", "suppress"},
    // This mail, to this person.
    {550, "Mailbox unavailable", "refused"},
    {550, "5.5.0 Requested action not taken: mailbox unavailable (S2017062302)", "refused"},
    {550, "5.4.1 Recipient address rejected: Access denied. AS(201806281)", "refused"},
    {552, "5.2.2 mailbox full", "refused"},
    {550, "over quota", "refused"},
    {550, "Rejected", "refused"},
    {554, "Transaction failed", "refused"},
    // Us: the sender.
    {550, "5.1.1 <shows@mg.example.org>: user unknown", "account"},
    {550, "5.1.7 <shows@mg.example.org>: Sender address rejected: undeliverable: User unknown",
     "account"},
    {550, "5.7.1 Sender domain does not exist", "account"},
    {550, "5.7.27 sender has null MX", "account"},
    {550, "5.7.26 This mail is unauthenticated. Requires all to authenticate with SPF or DKIM",
     "account"},
    {550, "Callback verification failed: no such user", "account"},
    // Us: relaying.
    {550, "5.7.1 Unable to relay", "account"},
    {553, "you are trying to use me as a relay, but I have not been configured to let you",
     "account"},
    {551, "we do not relay", "account"},
    // Us: the host.
    {550, "5.7.25 no PTR record", "account"},
    {554, "5.7.1 Client host rejected: cannot find your reverse hostname", "account"},
    {550, "5.1.1 undeliverable address: host mx said: 554 Client host blocked using a DNSBL",
     "account"},
    {501, "5.5.2 Invalid EHLO", "account"},
    {554, "5.7.1 Mail from your country is not accepted", "account"},
    {550, "Your IP has a poor reputation", "account"},
    // Us: how much.
    {550, "5.7.1 too many messages per hour", "account"},
    {550, "5.4.5 Daily user sending quota exceeded", "account"},
    {552, "Quota exceeded for sender", "account"},
    // Somebody's policy.
    {550, "5.7.0 Local Policy Violation", "account"},
    {554, "Blocked", "account"},
    {550, "5.7.133 authentication required; Delivery restriction: sender not allowed", "account"},
    {550, "5.7.1 no", "account"},
};

TEST(SmtpReplies, MeanWhatOthersOfTheirKindMean) {
    for (const auto& row : rows) {
        const auto answer = read(row.status, row.text);
        EXPECT_EQ(right(answer), row.right) << row.status << " " << row.text;
        const bool is_refused = answer.verdict == Verdict::perm_rcpt;
        EXPECT_EQ(is_refused, answer.reason == Reason::recipient_refused) << row.text;
    }
}

TEST(SmtpReplies, AskForALoginInDigitsOnly) {
    for (const int status : {530, 534, 535, 538}) {
        const auto answer = read(status, "5.7.0 x");
        EXPECT_EQ(answer.verdict, Verdict::config) << status;
        EXPECT_EQ(answer.of_us, "login needed") << "to be weighed by what was taken before";
    }
    for (const auto step : {MailStep::recipient, MailStep::data, MailStep::end_of_data}) {
        for (const std::string text :
             {"authentication required", "5.7.1 Client was not authenticated", "5.7.8 bad",
              "Please login first", "5.7.1 PLEASE LOG\n5.7.1 IN"}) {
            const auto answer = read(554, text, step);
            EXPECT_EQ(answer.verdict, Verdict::perm_rcpt) << text;
            EXPECT_EQ(answer.of_us, "login needed") << text;
        }
    }
    EXPECT_EQ(read(530, "5.7.1 Sender must be authenticated to send to this recipient").of_us,
              "refused by policy");
    for (const auto& row : rows) {
        EXPECT_NE(read(row.status, row.text).verdict, Verdict::config) << row.text;
    }
}

TEST(SmtpReplies, ArePutOffWhereTheySaySo) {
    const auto host = read(450, "4.7.1 Client host rejected: cannot find your reverse hostname");
    EXPECT_EQ(host.verdict, Verdict::transient);
    EXPECT_EQ(host.of_us, "our host refused");
    EXPECT_TRUE(read(450, "4.7.1 Greylisted by policy").of_us.empty());
    EXPECT_TRUE(read(450, "4.2.1 mailbox busy").of_us.empty());
}

TEST(SmtpReplies, NameNobodyInTheirDetail) {
    for (const auto& row : rows) {
        EXPECT_EQ(read(row.status, row.text).detail.find('@'), std::string::npos) << row.text;
    }
}

TEST(EnhancedCode, StandsAtTheBeginningOrBehindAHash) {
    const auto is = [](std::string_view text, int subject, int detail) {
        return smtp::read_enhanced(text, 550).is(subject, detail);
    };
    EXPECT_TRUE(is("5.1.1 x", 1, 1));
    EXPECT_TRUE(is("5.1.10", 1, 10));
    EXPECT_TRUE(is("sorry (#5.7.1)", 7, 1));
    EXPECT_TRUE(is("ticket #9, #5.2.1: no", 2, 1));
    EXPECT_FALSE(is("4.1.1 x", 1, 1)) << "another class";
    EXPECT_FALSE(is("5.1.1.1 x", 1, 1)) << "an address";
    EXPECT_FALSE(is("x 5.1.1", 1, 1));
}

}  // namespace
}  // namespace fanfare::testing
