#include "core/providers/smtp/smtp.hpp"

#include "tests/unit/providers/answer_case.hpp"

namespace fanfare::testing {
namespace {

using std::chrono::seconds;

struct Row {
    AnswerCase answer;
    MailStep step;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.answer.name; }

BatchAnswer read(MailStep step, int status, std::string body) {
    auto answer = answered(status, std::move(body));
    answer.step = step;
    answer.message_id = "job.1.0.TAG@example.org";
    return smtp::read_answer(answer, {"shows@mg.example.org", "", ""});
}

class SmtpAnswers : public ::testing::TestWithParam<Row> {};

TEST_P(SmtpAnswers, FollowTheTable) {
    const auto& [row, step] = GetParam();
    const auto answer = read(step, row.status, row.body);
    expect_row(row, answer);
    EXPECT_EQ(answer.detail.find('@'), std::string::npos) << answer.detail;
}

constexpr auto connect = MailStep::connect;
constexpr auto login = MailStep::login;
constexpr auto sender = MailStep::sender;
constexpr auto recipient = MailStep::recipient;
constexpr auto data = MailStep::data;
constexpr auto end = MailStep::end_of_data;

constexpr auto config = Verdict::config;
constexpr auto suppress = Verdict::suppress;
constexpr auto perm_rcpt = Verdict::perm_rcpt;
constexpr auto perm_req = Verdict::perm_req;
constexpr auto transient = Verdict::transient;
constexpr auto throttle = Verdict::throttle;
constexpr auto account = Reason::account_unusable;
constexpr auto invalid = Reason::address_invalid;
constexpr auto refused = Reason::recipient_refused;
constexpr auto request = Reason::request_refused;
constexpr auto large = Reason::content_too_large;
constexpr auto outage = Reason::provider_unavailable;
constexpr auto throttled = Reason::throttled;
constexpr auto s30 = seconds{30};
constexpr auto s60 = seconds{60};

const std::vector<Row> rows{
    {{"busy", 421, "4.3.2 Service shutting down", transient, outage, s30}, connect},
    {{"connections", 421, "4.7.0 Error: too many connections from x", throttle, throttled},
     connect},
    {{"blocked", 554, "5.7.1 your host is on our blacklist", config, account}, connect},
    {{"no_hello", 504, "5.5.2 need fully-qualified hostname", config, account}, MailStep::hello},
    {{"tls_later", 454, "4.7.0 TLS not available", transient, outage, s30}, MailStep::starttls},
    {{"tls_never", 502, "5.5.1 not implemented", config, account}, MailStep::starttls},
    {{"login_later", 454, "4.7.0 Temporary authentication failure", transient, outage, s30}, login},
    {{"password_old", 432, "4.7.12 A password transition is needed", config, account}, login},
    {{"wrong_password", 535, "5.7.8 Error: authentication failed", config, account}, login},
    {{"weak_mechanism", 534, "5.7.9 mechanism too weak", config, account}, login},
    {{"login_forbidden", 530, "5.7.0 Must issue STARTTLS", config, account}, login},
    {{"login_first", 530, "5.7.0 Authentication required", config, account}, sender},
    {{"not_our_sender", 553, "5.7.1 Sender address rejected: not owned", config, account}, sender},
    {{"bad_sender", 550, "5.1.8 Domain not found", config, account}, sender},
    {{"size_at_mail", 552, "5.3.4 Message size exceeds fixed limit", perm_req, large}, sender},
    {{"sender_later", 451, "4.3.0 Temporary lookup failure", transient, outage, s30}, sender},
    {{"disk_full", 452, "4.3.1 Insufficient system storage", transient, outage, s30}, sender},
    {{"sender_rate", 450, "4.7.1 Error: too much mail from x", throttle, throttled}, sender},
    {{"unknown", 550, "5.1.1 <v@example.com>: Recipient address rejected", suppress, invalid},
     recipient},
    {{"unknown_domain", 550, "5.1.2 v@example.com: no such host", suppress, invalid}, recipient},
    {{"null_mx", 556, "5.1.10 domain does not accept mail", suppress, invalid}, recipient},
    {{"moved", 551, "5.1.6 Mailbox has moved", suppress, invalid}, recipient},
    {{"bad_syntax", 553, "5.1.3 bad destination mailbox address", suppress, invalid}, recipient},
    {{"enhanced_beats_basic", 554, "5.1.1 unknown user", suppress, invalid}, recipient},
    {{"disabled", 550, "5.2.1 account disabled", suppress, invalid}, recipient},
    {{"basic_550", 550, "No such user here", suppress, invalid}, recipient},
    {{"basic_551", 551, "User not local", suppress, invalid}, recipient},
    {{"basic_550_policy", 550, "rejected: spam", perm_rcpt, refused}, recipient},
    {{"ambiguous_address", 550, "5.1.4 ambiguous", perm_rcpt, refused}, recipient},
    {{"full", 552, "5.2.2 mailbox full", perm_rcpt, refused}, recipient},
    {{"full_550", 550, "5.2.2 over quota", perm_rcpt, refused}, recipient},
    {{"basic_552", 552, "Requested mail action aborted", perm_rcpt, refused}, recipient},
    {{"policy", 550, "5.7.1 access denied", perm_rcpt, refused}, recipient},
    {{"relay", 554, "5.7.1 Relay access denied", perm_rcpt, refused}, recipient},
    {{"basic_554", 554, "Transaction failed", perm_rcpt, refused}, recipient},
    {{"no_route", 550, "5.4.4 no route", perm_rcpt, refused}, recipient},
    {{"login_at_rcpt", 530, "5.7.0 Authentication required", config, account}, recipient},
    {{"sender_at_rcpt", 553, "5.1.8 Sender address rejected", perm_rcpt, refused}, recipient},
    {{"size_at_rcpt", 552, "5.3.4 too big", perm_req, large}, recipient},
    {{"syntax", 501, "5.5.4 Syntax: RCPT TO", perm_req, request}, recipient},
    {{"foreign_class", 550, "4.1.1 odd", perm_rcpt, refused}, recipient},
    {{"no_code_but_digits", 550, "5.1 is no code", perm_rcpt, refused}, recipient},
    {{"other_address_status", 550, "5.1.0 Address rejected", perm_rcpt, refused}, recipient},
    {{"code_in_brackets", 553, "sorry, no mailbox here by that name (#5.1.1)", suppress, invalid},
     recipient},
    {{"greylisted", 450, "4.2.0 Greylisted, see http://x", transient, outage, seconds{300}},
     recipient},
    {{"busy_mailbox", 450, "4.2.0 mailbox busy", transient, outage, s60}, recipient},
    {{"local_fault", 451, "4.3.0 try later", transient, outage, s60}, recipient},
    {{"rcpt_storage", 452, "4.2.2 over quota", transient, outage, s60}, recipient},
    {{"rcpt_rate", 450, "4.7.1 Error: too much mail", throttle, throttled}, recipient},
    {{"rcpt_gone", 421, "4.4.2 bye", transient, outage, s30}, recipient},
    {{"no_recipients", 554, "5.5.1 Error: no valid recipients", perm_rcpt, refused}, data},
    {{"data_later", 451, "4.3.5 later", transient, outage, s30}, data},
    {{"data_refused", 550, "5.7.1 no", perm_req, request}, data},
    {{"too_large", 552, "5.3.4 Message too big", perm_req, large}, end},
    {{"too_large_basic", 552, "too big", perm_req, large}, end},
    {{"too_long_for_mailbox", 550, "5.2.3 exceeds limit", perm_req, large}, end},
    {{"spam", 554, "5.7.1 Spam message rejected", perm_req, request}, end},
    {{"spam_basic", 554, "no", perm_req, request}, end},
    {{"late_unknown", 550, "5.1.1 unknown", suppress, invalid}, end},
    {{"late_host", 550, "5.7.1 Client host blocked using zen.spamhaus.org", perm_rcpt, refused},
     end},
    {{"late_login", 550, "5.7.1 Authentication required", perm_rcpt, refused}, end},
    {{"late_login_530", 530, "5.7.0 Authentication required", config, account}, end},
    {{"late_limit", 550, "5.4.5 Daily user sending limit exceeded", perm_rcpt, refused}, end},
    {{"late_proof", 550, "5.7.26 Unauthenticated mail is not accepted (DMARC)", perm_rcpt, refused},
     end},
    {{"late_full", 552, "5.2.2 full", perm_rcpt, refused}, end},
    {{"queue_fault", 451, "4.3.0 Error: queue file write error", transient, outage, s30}, end},
    {{"end_rate", 452, "4.7.0 rate limit exceeded", throttle, throttled}, end},
    {{"odd_success", 354, "go on", Verdict::ambiguous, Reason::answer_unreadable}, end},
};

INSTANTIATE_TEST_SUITE_P(Documented, SmtpAnswers, ::testing::ValuesIn(rows),
                         [](const auto& each) { return each.param.answer.name; });

TEST(SmtpSuccess, TellsTheQueueIdOrOurOwn) {
    const auto id = [](std::string body) { return read(end, 250, std::move(body)).provider_id; };
    EXPECT_EQ(id("2.0.0 Ok: queued as 4Zb3Kk0x1Yz"), "4Zb3Kk0x1Yz");
    EXPECT_EQ(id("2.0.0 a1b2c3d4 Message accepted for delivery"), "a1b2c3d4");
    EXPECT_EQ(id("OK id=1qABCD-0001Ab-2C"), "1qABCD-0001Ab-2C");
    EXPECT_EQ(id("2.0.0 Ok"), "job.1.0.TAG@example.org");
    EXPECT_EQ(id("queued as v@example.com"), "job.1.0.TAG@example.org");
    EXPECT_EQ(id(""), "job.1.0.TAG@example.org");
}

TEST(SmtpTransport, DecidesBeforeAnyCode) {
    HttpAnswer answer;
    answer.transport = Transport::not_sent;
    EXPECT_EQ(smtp::read_answer(answer, {}).verdict, Verdict::transient);
    answer.transport = Transport::in_doubt;
    EXPECT_EQ(smtp::read_answer(answer, {}).verdict, Verdict::ambiguous);
}

TEST(SmtpThrottle, Of421AsksForFewerConnections) {
    EXPECT_TRUE(read(connect, 421, "4.7.0 too many connections").fewer_requests);
    EXPECT_FALSE(read(recipient, 450, "4.7.1 too much mail").fewer_requests);
}

TEST(SmtpThrottle, OfOneMailboxHoldsUpNobodyElse) {
    EXPECT_TRUE(read(recipient, 450, "4.2.1 receiving too much mail").recipient_only);
    EXPECT_FALSE(read(recipient, 450, "4.7.1 too much mail").recipient_only);
    EXPECT_FALSE(read(end, 452, "4.2.1 too much mail").recipient_only);
}

TEST(SmtpDetail, NamesTheCodesOnly) {
    EXPECT_EQ(read(recipient, 550, "5.1.1 <v@example.com>: unknown").detail,
              "smtp 550 5.1.1: address unknown");
}

}  // namespace
}  // namespace fanfare::testing
