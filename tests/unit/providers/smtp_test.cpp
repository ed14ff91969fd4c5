#include "core/providers/registry.hpp"
#include "tests/contract/accounts.hpp"
#include "tests/contract/wire_reader.hpp"

#include <gtest/gtest.h>

#include <array>

namespace fanfare::testing {
namespace {

Content content_of(std::string subject, std::string text, std::string html) {
    Content content;
    const auto one = [](std::string literal) {
        return literal.empty() ? Text{} : Text{{std::move(literal), {}}};
    };
    content.subject = one(std::move(subject));
    content.text = one(std::move(text));
    content.html = one(std::move(html));
    return content;
}

HttpRequest compose(const AccountSettings& account, const Content& content,
                    const std::string_view* values = nullptr, std::string prefix = "") {
    const std::array one{Message{"1", "ann@example.com", values, "0.TAG"}};
    const SendReference reference{"job-1", 3, "show.reminder", std::move(prefix)};
    HttpRequest request;
    open(account)->compose({content, one, reference, 0}, request);
    return request;
}

TEST(Smtp, WritesTheWholeMail) {
    auto account = smtp_account();
    account.options["from"] = "J\xC3\xB6rg's Shows <shows@example.org>";
    const auto request = compose(account, content_of("Soon \xF0\x9F\x8E\x89", "Hello", "<p>Hello"),
                                 nullptr, "https://h.example.org/u/job-1.3.");
    EXPECT_EQ(request.url, "smtp://mail.example.org:587/example.org");
    ASSERT_TRUE(request.mail);
    const MailEnvelope expected{.from = "shows@example.org",
                                .recipient = "ann@example.com",
                                .username = "fanfare",
                                .password = "0123456789abcdef",
                                .message_id = "job-1.3.0.TAG@example.org"};
    EXPECT_TRUE(*request.mail == expected);
    EXPECT_EQ(request.body,
              "Message-ID: <job-1.3.0.TAG@example.org>\r\n"
              "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
              "From: =?UTF-8?Q?J=C3=B6rg=27s_Shows?= <shows@example.org>\r\n"
              "To: ann@example.com\r\n"
              "Subject: =?UTF-8?B?U29vbiDwn46J?=\r\n"
              "List-Unsubscribe: <https://h.example.org/u/job-1.3.0.TAG>\r\n"
              "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
              "Auto-Submitted: auto-generated\r\n"
              "MIME-Version: 1.0\r\n"
              "Content-Type: multipart/alternative;\r\n"
              " boundary=\"=_fanfare_alternative\"\r\n"
              "\r\n"
              "--=_fanfare_alternative\r\n"
              "Content-Type: text/plain; charset=utf-8\r\n"
              "Content-Transfer-Encoding: quoted-printable\r\n"
              "\r\n"
              "Hello\r\n"
              "--=_fanfare_alternative\r\n"
              "Content-Type: text/html; charset=utf-8\r\n"
              "Content-Transfer-Encoding: quoted-printable\r\n"
              "\r\n"
              "<p>Hello\r\n"
              "--=_fanfare_alternative--\r\n");
}

TEST(Smtp, WritesOnePartAloneWhereThereIsOne) {
    const auto text = read_smtp(compose(smtp_account(), content_of("s", "only", "")));
    ASSERT_EQ(text.error, "");
    EXPECT_EQ(text.deliveries[0].seen.at("text"), "only");
    EXPECT_FALSE(text.deliveries[0].seen.contains("html"));
    const auto html = read_smtp(compose(smtp_account(), content_of("s", "", "<p>")));
    ASSERT_EQ(html.error, "");
    EXPECT_EQ(html.deliveries[0].seen.at("html"), "<p>");
}

TEST(Smtp, LeavesOutALinkThatCouldEndItsHeader) {
    auto content = content_of("s", "t", "");
    content.variables = {"unsubscribe_url"};
    std::string_view value = "https://u.example.org/x>\r\nBcc: v@example.com";
    EXPECT_EQ(compose(smtp_account(), content, &value).body.find("List-Unsubscribe"),
              std::string::npos);
    value = "https://u.example.org/x";
    EXPECT_NE(compose(smtp_account(), content, &value)
                  .body.find("\r\nList-Unsubscribe: <https://u.example.org/x>\r\n"),
              std::string::npos);
}

TEST(Smtp, ChoosesTheUrlByTheKindOfTls) {
    auto account = smtp_account();
    account.options["tls"] = "implicit";
    account.options["hello_name"] = "sender.example.net";
    EXPECT_EQ(compose(account, {}).url, "smtps://mail.example.org:465/sender.example.net");
    account.options["port"] = "2465";
    EXPECT_EQ(compose(account, {}).url, "smtps://mail.example.org:2465/sender.example.net");
    account.options["tls"] = "none";
    account.options["host"] = "127.0.0.1";
    account.allow_http = true;
    const auto request = compose(account, {});
    EXPECT_EQ(request.url, "smtp://127.0.0.1:2465/sender.example.net");
    EXPECT_TRUE(request.mail->cleartext);
}

struct BadOption {
    const char* key;
    const char* value;
};
void PrintTo(const BadOption& bad, std::ostream* out) { *out << bad.key << "=" << bad.value; }

class SmtpBadOption : public ::testing::TestWithParam<BadOption> {};

TEST_P(SmtpBadOption, IsRefused) {
    auto account = smtp_account();
    account.options[GetParam().key] = GetParam().value;
    const auto made = make_provider(account, {.callback_url = "", .clock = &test_clock()});
    const auto* const problems = std::get_if<Problems>(&made);
    ASSERT_NE(problems, nullptr);
    ASSERT_EQ(problems->size(), 1U);
    EXPECT_EQ(problems->front().key, std::string{"providers[4]."} + GetParam().key);
}

INSTANTIATE_TEST_SUITE_P(Each, SmtpBadOption,
                         ::testing::Values(BadOption{"host", "mail.example.org/x"},
                                           BadOption{"host", "mail example.org"},
                                           BadOption{"host", "mail.example.org:25"},
                                           BadOption{"port", "0"}, BadOption{"port", "65536"},
                                           BadOption{"tls", "maybe"}, BadOption{"tls", "none"},
                                           BadOption{"from", "shows"},
                                           BadOption{"from", "a@example.org\r\nBcc: b@c.de"},
                                           BadOption{"hello_name", "x\r\nQUIT"},
                                           BadOption{"username", "a\nb"},
                                           BadOption{"colour", "red"}));

TEST(SmtpOptions, CleartextNeedsLoopbackAndPermission) {
    auto account = smtp_account();
    account.options["tls"] = "none";
    account.options["host"] = "127.0.0.1";
    EXPECT_THROW((void)open(account), std::runtime_error);
    account.allow_http = true;
    EXPECT_NO_THROW((void)open(account));
    account.options["host"] = "mail.example.org";
    EXPECT_THROW((void)open(account), std::runtime_error);
}

TEST(SmtpOptions, LoginTakesBoth) {
    auto account = smtp_account();
    account.options.erase("username");
    EXPECT_THROW((void)open(account), std::runtime_error);
    account.secrets.clear();
    EXPECT_NO_THROW((void)open(account));
}

TEST(SmtpDeathTest, NeverPutsAnUncheckedAddressOnTheWire) {
    const auto provider = open(smtp_account());
    const std::array one{Message{"1", "a@example.com> <b@example.com", nullptr, "0.T"}};
    const SendReference reference{"job-1", 3, "kind", ""};
    const Content content;
    HttpRequest request;
    EXPECT_DEATH(provider->compose({content, one, reference, 0}, request), "sendable");
}

}  // namespace
}  // namespace fanfare::testing
