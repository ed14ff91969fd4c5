#include "sim/providers/smtp/smtp.hpp"

#include "sim/smtp/conversation.hpp"
#include "tests/unit/sim/provider_handler_case.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

namespace fanfare::sim {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr auto good_mail =
    "Message-ID: <job-1.3.0.TAG@example.org>\r\n"
    "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
    "From: =?UTF-8?Q?J=C3=B6rg?= <shows@example.org>\r\n"
    "To: ann@example.com\r\n"
    "Subject: =?UTF-8?B?8J+OiQ==?=\r\n =?UTF-8?Q?_soon?=\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/alternative;\r\n boundary=\"=_b\"\r\n"
    "\r\n"
    "--=_b\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    "Hello=\r\n J=C3=B6rg\r\n"
    "--=_b\r\n"
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\n"
    "PHA+8J+OiQ==\r\n"
    "--=_b--\r\n";

OwnedRequest request_of(std::string mail) {
    return {.method = "SMTP",
            .path = "/smtp",
            .headers = {{"mail-from", "shows@example.org"}, {"rcpt-to", "ann@example.com"}},
            .body = std::move(mail)};
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(SimSmtp, TakesAGoodMail) {
    const auto provider = make_smtp();
    auto request = request_of(good_mail);
    Checked checked;
    check(*provider, request, checked);
    EXPECT_EQ(checked.kind, Checked::Kind::message);
    EXPECT_EQ(checked.reference, "job-1.3.0.TAG");
    EXPECT_THAT(checked.recipients, ElementsAre("ann@example.com"));
    EXPECT_EQ(checked.answer.status, 250);
    EXPECT_EQ(checked.answer.body, "250 2.0.0 Ok: queued as 10000001\r\n");
    const auto shown = provider->render(request.view(), "ann@example.com");
    ASSERT_TRUE(shown);
    EXPECT_EQ(shown->at("subject"), "\xF0\x9F\x8E\x89 soon");
    EXPECT_EQ(shown->at("text"), "Hello J\xC3\xB6rg");
    EXPECT_EQ(shown->at("html"), "<p>\xF0\x9F\x8E\x89");
    EXPECT_FALSE(provider->render(request.view(), "bob@example.com"));
}

struct BadMail {
    const char* why;
    const char* from;
    const char* to;
};
void PrintTo(const BadMail& bad, std::ostream* out) { *out << bad.why; }

class SimSmtpBadMail : public testing::TestWithParam<BadMail> {};

TEST_P(SimSmtpBadMail, IsRefused) {
    auto request = request_of(replaced(good_mail, GetParam().from, GetParam().to));
    Checked checked;
    check(*make_smtp(), request, checked);
    EXPECT_EQ(checked.kind, Checked::Kind::bad);
    EXPECT_THAT(checked.answer.body, StartsWith("554 5.6.0 "));
    EXPECT_THAT(checked.answer.body, HasSubstr(GetParam().why));
    EXPECT_THAT(checked.answer.body, EndsWith("\r\n"));
}

INSTANTIATE_TEST_SUITE_P(
    All, SimSmtpBadMail,
    testing::Values(BadMail{"bare CR or LF", "Hello=\r\n", "Hello=\n"},
                    BadMail{"not 7bit", "Hello", "Hell\xC3\xB6"},
                    BadMail{"date must", "Date: Thu", "X-Date: Thu"},
                    BadMail{"subject must", "To: ann", "Subject: a\r\nTo: ann"},
                    BadMail{"bcc", "To: ann", "Bcc: bob@example.com\r\nTo: ann"},
                    BadMail{"malformed header", "Subject: ", "Subject line: "},
                    BadMail{"malformed header", "J=C3=B6rg", "J=C3rg"},
                    BadMail{"to is not the recipient", "To: ann", "To: bob"},
                    BadMail{"transfer encoding", "J=C3=B6rg\r\n", "J=ZZ\r\n"},
                    BadMail{"transfer encoding", "base64", "8bit"},
                    BadMail{"not UTF-8", " J=C3=B6rg", " J=C3rg"},
                    BadMail{"without end", "--=_b--", "--=_c--"},
                    BadMail{"content type", "text/html", "text/htm"}));

TEST(SimSmtp, RefusesALongLine) {
    auto request = request_of(replaced(good_mail, "Hello", std::string(999, 'x')));
    Checked checked;
    check(*make_smtp(), request, checked);
    EXPECT_THAT(checked.answer.body, HasSubstr("line too long"));
}

class SimSmtpFront : public ProviderHandlerCase {};

TEST_F(SimSmtpFront, CountsByTheJobOfTheMessageIdAndKnowsTheFaults) {
    EXPECT_EQ(send(request_of(good_mail)).answer.status, 250);
    admin("POST", "/control", "",
          R"({"smtp":{"script":["refuse","throttle","concurrency","error","malformed"]}})");
    EXPECT_THAT(send(request_of(good_mail)).answer.body, StartsWith("550 5.1.1 "));
    EXPECT_THAT(send(request_of(good_mail)).answer.body, StartsWith("450 4.7.1 "));
    EXPECT_THAT(send(request_of(good_mail)).answer.body, StartsWith("421 4.7.0 "));
    EXPECT_THAT(send(request_of(good_mail)).answer.body, StartsWith("451 4.3.0 "));
    EXPECT_THAT(send(request_of(good_mail)).answer.body, testing::Not(EndsWith("\r\n")))
        << "half a line is no answer";
    EXPECT_EQ(admin("GET", "/oracle/accepted", "provider=smtp&job=job-1"), "ann@example.com\t2\n");
    EXPECT_THAT(send(request_of("no mail")).answer.body, StartsWith("554 5.6.0 "));
}

/// Talks to a conversation as a client would.
class Talk {
public:
    explicit Talk(MailRules rules = {}) : rules_{std::move(rules)} {}

    std::string say(std::string_view bytes) {
        std::string out;
        conversation.feed(bytes);
        next = conversation.step(out);
        return out;
    }

private:
    MailRules rules_;

public:
    Conversation conversation{rules_};
    Conversation::Next next = Conversation::Next::read;
};

TEST(SimSmtpConversation, TakesAMessageAndUnstuffsDots) {
    Talk talk;
    EXPECT_THAT(talk.say("EHLO x\r\n"), EndsWith("250 8BITMIME\r\n"));
    EXPECT_EQ(talk.say("MAIL FROM:<a@example.org> SIZE=10\r\n"), "250 2.1.0 Ok\r\n");
    EXPECT_EQ(talk.say("RCPT TO:<b@example.com>\r\n"), "250 2.1.5 Ok\r\n");
    EXPECT_THAT(talk.say("DATA\r\n"), StartsWith("354 "));
    EXPECT_EQ(talk.say("a\r\n..\r"), "");
    EXPECT_EQ(talk.next, Conversation::Next::read);
    EXPECT_EQ(talk.say("\n...b\r\n.\r\nMAIL FROM:<c@example.org>\r\n"), "");
    EXPECT_EQ(talk.next, Conversation::Next::message);
    EXPECT_EQ(talk.conversation.message(), "a\r\n.\r\n..b\r\n");
    EXPECT_EQ(talk.conversation.sender(), "a@example.org");
    EXPECT_EQ(talk.conversation.recipient(), "b@example.com");
    talk.conversation.forget();
    EXPECT_EQ(talk.say(""), "250 2.1.0 Ok\r\n") << "what was pipelined is not lost";
}

TEST(SimSmtpConversation, KeepsTheOrderOfCommands) {
    Talk talk;
    EXPECT_THAT(talk.say("MAIL FROM:<a@b.cc>\r\n"), StartsWith("503 "));
    EXPECT_THAT(talk.say("EHLO x\r\n"), StartsWith("250-"));
    EXPECT_THAT(talk.say("RCPT TO:<a@b.cc>\r\n"), StartsWith("503 "));
    EXPECT_THAT(talk.say("DATA\r\n"), StartsWith("554 5.5.1"));
    EXPECT_THAT(talk.say("MAIL FROM:<a b@c.dd>\r\n"), StartsWith("501 "));
    EXPECT_THAT(talk.say("MAIL FROM:<a@b.cc>\r\nRCPT TO:<x>\r\n"), EndsWith("syntax\r\n"));
    EXPECT_THAT(talk.say("RSET\r\nDATA\r\n"), EndsWith("no valid recipients\r\n"));
    EXPECT_THAT(talk.say("HELP\r\n"), StartsWith("502 "));
    EXPECT_THAT(talk.say("NOOP\r\nQUIT\r\n"), EndsWith("221 2.0.0 Bye\r\n"));
    EXPECT_EQ(talk.next, Conversation::Next::close);
}

TEST(SimSmtpConversation, AsksForTheLogin) {
    const MailRules rules{.user = "user", .password = "pass"};
    Talk talk{rules};
    EXPECT_THAT(talk.say("EHLO x\r\n"), HasSubstr("AUTH PLAIN LOGIN"));
    EXPECT_THAT(talk.say("MAIL FROM:<a@b.cc>\r\n"), StartsWith("530 5.7.0"));
    EXPECT_THAT(talk.say("AUTH PLAIN AHVzZXIAd3Jvbmc=\r\n"), StartsWith("535 5.7.8"));
    EXPECT_THAT(talk.say("AUTH PLAIN !\r\n"), StartsWith("501 "));
    EXPECT_THAT(talk.say("AUTH CRAM-MD5\r\n"), StartsWith("504 "));
    EXPECT_THAT(talk.say("AUTH PLAIN AHVzZXIAcGFzcw==\r\n"), StartsWith("235 "));
    Talk other{rules};
    EXPECT_THAT(other.say("EHLO x\r\nAUTH LOGIN\r\n"), EndsWith("334 VXNlcm5hbWU6\r\n"));
    EXPECT_THAT(other.say("dXNlcg==\r\ncGFzcw==\r\n"),
                EndsWith("235 2.7.0 Authentication successful\r\n"));
    EXPECT_THAT(other.say("MAIL FROM:<a@b.cc>\r\n"), StartsWith("250 "));
}

TEST(SimSmtpConversation, BeginsAnewUnderTls) {
    Talk talk;
    EXPECT_THAT(talk.say("EHLO x\r\n"), HasSubstr("STARTTLS"));
    EXPECT_THAT(talk.say("STARTTLS\r\nMAIL FROM:<evil@b.cc>\r\n"), StartsWith("220 "));
    EXPECT_EQ(talk.next, Conversation::Next::start_tls);
    talk.conversation.secured();
    EXPECT_EQ(talk.say(""), "") << "what was said before TLS is void";
    EXPECT_THAT(talk.say("MAIL FROM:<a@b.cc>\r\n"), StartsWith("503 "));
    EXPECT_THAT(talk.say("EHLO x\r\n"), testing::Not(HasSubstr("STARTTLS")));
}

TEST(SimSmtpConversation, IsBounded) {
    Talk talk{{.user = "", .password = "", .message_bytes_max = 1'000}};
    EXPECT_THAT(talk.say(std::string(3'000, 'x')), StartsWith("500 "));
    EXPECT_EQ(talk.next, Conversation::Next::close);
    Talk other{{.user = "", .password = "", .message_bytes_max = 1'000}};
    static_cast<void>(other.say("EHLO x\r\nMAIL FROM:<a@b.cc>\r\nRCPT TO:<b@c.dd>\r\nDATA\r\n"));
    EXPECT_THAT(other.say(std::string(600, 'x') + "\r\n" + std::string(600, 'x')),
                StartsWith("552 "));
    EXPECT_EQ(other.next, Conversation::Next::close);
}

}  // namespace
}  // namespace fanfare::sim
