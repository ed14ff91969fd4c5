#include "core/audience/address.hpp"
#include "core/providers/sendgrid/substitutions.hpp"
#include "core/providers/unsubscribe.hpp"
#include "tests/contract/accounts.hpp"
#include "tests/contract/wire_reader.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <array>

namespace fanfare::testing {
namespace {

Text text(std::string literal) { return {{std::move(literal), {}}}; }

HttpRequest compose(const AccountSettings& account, const Content& content,
                    std::span<const Message> messages, const std::string& prefix = "") {
    const SendReference reference{"job-1", 3, "show.reminder", prefix};
    HttpRequest request;
    open(account)->compose({content, messages, reference, 0}, request);
    return request;
}

/// The mark that the account's tags have.
std::string mark_of(const HttpRequest& request) {
    const std::string lead = R"("substitutions":{"-)";
    const auto at = request.body.find(lead);
    return at == std::string::npos ? "" : request.body.substr(at + lead.size(), 21);
}

TEST(SendGrid, WritesTheWholeCall) {
    Content content;
    content.variables = {"name"};
    content.subject = {{"Hi ", Slot{0, Escape::none}}};
    content.text = {{"Hello ", Slot{0, Escape::none}}, {",\n50%!", {}}};
    content.html = {{"<p>Hello ", Slot{0, Escape::html}}, {"</p>", {}}};
    const std::array<std::string_view, 1> ann{"Ann \"A\" <b>"};
    const std::array<std::string_view, 1> bob{"Bob"};
    const std::array messages{Message{"1", "a@example.com", ann.data(), "0.AAAAAAAAAAA"},
                              Message{"2", "b@example.com", bob.data(), "1.BBBBBBBBBBB"}};
    auto account = sendgrid_account();
    account.options["ip_pool_name"] = "bulk";
    account.options["on_behalf_of"] = "sub";
    const auto request = compose(account, content, messages, "https://h.example.com/u/job-1.3.");

    EXPECT_EQ(request.url, "https://api.sendgrid.com/v3/mail/send");
    EXPECT_EQ(header(request, "Authorization"), "Bearer SG.0123456789abcdef0123456789abcdef");
    EXPECT_EQ(header(request, "Content-Type"), "application/json");
    EXPECT_EQ(header(request, "Accept"), "application/json");
    EXPECT_EQ(header(request, "on-behalf-of"), "sub");
    EXPECT_FALSE(request.http2);
    auto body = request.body;
    const auto mark = mark_of(request);
    ASSERT_EQ(mark.size(), 21U);
    for (auto at = body.find(mark); at != std::string::npos; at = body.find(mark)) {
        body.replace(at, mark.size(), "MARK");
    }
    EXPECT_EQ(
        body,
        R"({"from":{"email":"shows@example.org","name":"Shows"},"ip_pool_name":"bulk",)"
        R"("subject":"Hi -MARKv0-","content":[)"
        R"({"type":"text/plain","value":"Hello -MARKv0-,\n50%!"},)"
        R"({"type":"text/html","value":"<p>Hello -MARKh0-</p>"}],"categories":["show.reminder"],)"
        R"("tracking_settings":{"subscription_tracking":{"enable":false}},"personalizations":[)"
        R"({"to":[{"email":"a@example.com"}],"custom_args":{"fanfare":"job-1.3.0.AAAAAAAAAAA"},)"
        R"("substitutions":{"-MARKv0-":"Ann \"A\" <b>","-MARKh0-":"Ann &quot;A&quot; &lt;b&gt;"},)"
        R"("headers":{"List-Unsubscribe":"<https://h.example.com/u/job-1.3.0.AAAAAAAAAAA>",)"
        R"("List-Unsubscribe-Post":"List-Unsubscribe=One-Click"}},)"
        R"({"to":[{"email":"b@example.com"}],"custom_args":{"fanfare":"job-1.3.1.BBBBBBBBBBB"},)"
        R"("substitutions":{"-MARKv0-":"Bob","-MARKh0-":"Bob"},)"
        R"("headers":{"List-Unsubscribe":"<https://h.example.com/u/job-1.3.1.BBBBBBBBBBB>",)"
        R"("List-Unsubscribe-Post":"List-Unsubscribe=One-Click"}}]})");
}

TEST(SendGrid, HasTagsThatNobodyKnowsWithoutTheKey) {
    Content content;
    content.variables = {"name"};
    content.text = {{"Hi ", Slot{0, Escape::none}}};
    const std::string_view name = "Ann";
    const std::array one{Message{"1", "a@example.com", &name, "0.AAAAAAAAAAA"}};
    auto other = sendgrid_account();
    other.secrets["api_key"] = Secret{"another"};
    const auto mark = mark_of(compose(sendgrid_account(), content, one));
    EXPECT_EQ(mark, mark_of(compose(sendgrid_account(), content, one)));
    EXPECT_NE(mark, mark_of(compose(other, content, one)));
}

TEST(SendGrid, LeavesOutWhatSendGridTakesOnlyWhenFilled) {
    Content content;
    content.text = text("");
    const std::array one{Message{"1", "a@example.com", nullptr, "0.AAAAAAAAAAA"}};
    const auto request = compose(sendgrid_account(), content, one);
    EXPECT_EQ(read_sendgrid(request).error, "");
    EXPECT_EQ(request.body.find("headers"), std::string::npos);
    EXPECT_EQ(request.body.find("tracking"), std::string::npos);
}

struct Written {
    std::string text;
    std::string values;
};

Written write(const Text& source, sendgrid::Place place, std::string_view value = "Ann") {
    Content content;
    content.variables = {"name"};
    sendgrid::Substitutions substitutions{content, "MARK"};
    Written out;
    substitutions.append_text(source, place, out.text);
    const Message message{"1", "a@example.com", &value, "0.AAAAAAAAAAA"};
    substitutions.append_values(message, out.values);
    return out;
}

TEST(Substitutions, BreakAMarkThatSomebodyTyped) {
    const auto written =
        write({{"-MARKv0- ", Slot{0, Escape::none}}}, sendgrid::Place::body, "-MARKv0- MARKMARK");
    EXPECT_EQ(written.text,
              "-M\xE2\x81\xA0"
              "ARKv0- -MARKv0-");
    EXPECT_EQ(written.values,
              "{\"-MARKv0-\":\"-M\xE2\x81\xA0"
              "ARKv0- M\xE2\x81\xA0"
              "ARKM\xE2\x81\xA0"
              "ARK\"}");
    const auto html = write({{"", Slot{0, Escape::html}}}, sendgrid::Place::body, "<MARK>");
    EXPECT_EQ(html.values,
              "{\"-MARKh0-\":\"&lt;M\xE2\x81\xA0"
              "ARK&gt;\"}");
}

TEST(Substitutions, KeepTheSubjectOnOneLine) {
    EXPECT_EQ(write(text("a\r\nBcc: x\tb"), sendgrid::Place::subject).text, "a  Bcc: x b");
    EXPECT_EQ(write(text("a\nb"), sendgrid::Place::body).text, "a\\nb");
    EXPECT_EQ(write({{"", Slot{0, Escape::none}}}, sendgrid::Place::body, "a\r\nb").values,
              R"({"-MARKv0-":"a  b"})");
}

TEST(Substitutions, StayWithinTheirBound) {
    const Text both{{"", Slot{0, Escape::none}}, {"", Slot{0, Escape::html}}};
    for (const std::string unit :
         {"x", "\"", "<", "\xC3\xA9", "\xF0\x9F\x8E\x89", "\xFF", "MARK"}) {
        std::string value;
        while (value.size() < 30'000) value += unit;
        const auto written = write(both, sendgrid::Place::body, value).values;
        EXPECT_LE(written.size(), sendgrid::Substitutions::values_bytes_max) << unit;
        EXPECT_GT(written.size(), sendgrid::Substitutions::values_bytes_max / 3) << unit;
        boost::json::error_code error;
        const auto parsed = boost::json::parse(written, error);
        ASSERT_FALSE(error) << unit;
        const std::string shown{parsed.at("-MARKv0-").as_string()};
        const bool has_half = unit == "\xC3\xA9" && shown.find("\xEF\xBF\xBD") != std::string::npos;
        EXPECT_FALSE(has_half);
    }
    EXPECT_EQ(write(both, sendgrid::Place::body, std::string(4'900, 'x')).values.size(),
              2 * 4'900U + 29);
}

TEST(UnsubscribeLinks, PreferThePersonsOwn) {
    Content content;
    content.variables = {"name", "unsubscribe_url"};
    const SendReference reference{"job-1", 3, "", "https://h.example.com/u/job-1.3."};
    UnsubscribeLinks own{content, reference};
    const auto link = [](UnsubscribeLinks& links, std::string_view url) {
        const std::array<std::string_view, 2> values{"Ann", url};
        return std::string{links.of({"1", "a@example.com", values.data(), "0.AAAAAAAAAAA"})};
    };
    EXPECT_EQ(link(own, "https://u.example.org/o?t=a%2Fb"), "https://u.example.org/o?t=a%2Fb");
    for (const std::string good :
         {"https://u.example.org", "https://u.example.org:8443/a?b=c#d", "https://[::1]/o",
          "https://xn--bcher-kva.example/%C3%A9/~a!$&'()*+,;=:@"}) {
        EXPECT_EQ(link(own, good), good);
    }
    for (const std::string bad : {"",
                                  "https://x> <y",
                                  "https://x/<y>",
                                  "https://x/a b",
                                  " https://x/",
                                  "https://x/\xC3\xA9",
                                  "http://x.example/",
                                  "HTTPS//x",
                                  "mailto:stop@example.org",
                                  "https:",
                                  "https://",
                                  "https:///path",
                                  "https://:443/",
                                  "https://user@x.example/",
                                  "https://x/\"y\"",
                                  "https://x/100%",
                                  "https://x/%zz",
                                  "https://x/\\y",
                                  "https://x/{y}",
                                  "https://x/y\n",
                                  "javascript:alert(1)",
                                  "//x.example/",
                                  "mailto:a@x.example,https://x.example/"}) {
        EXPECT_EQ(link(own, bad), "") << bad;
    }
    EXPECT_EQ(link(own, "https://x/" + std::string(891, 'x')), "") << "SES would refuse the call";
    EXPECT_NE(link(own, "https://x/" + std::string(890, 'x')), "");
    content.variables = {"name"};
    UnsubscribeLinks ours{content, reference};
    EXPECT_EQ(link(ours, ""), "https://h.example.com/u/job-1.3.0.AAAAAAAAAAA");
    EXPECT_EQ(ours.of({"1", "a@example.com", nullptr, "0.AAAAAAAAAAA", "seal"}),
              "https://h.example.com/u/job-1.3.0.AAAAAAAAAAA?a=seal");
    const SendReference bare{"job-1", 3, "", ""};
    UnsubscribeLinks none{content, bare};
    EXPECT_FALSE(none.any());
    EXPECT_EQ(link(none, ""), "");
    const SendReference insecure{"job-1", 3, "", "http://h.example.com/u/job-1.3."};
    UnsubscribeLinks posted_in_clear{content, insecure};
    EXPECT_EQ(link(posted_in_clear, ""), "") << "RFC 8058 asks for https";
}

TEST(ParseMailbox, FindsNameAndAddress) {
    const auto shown = [](std::string_view from) {
        const auto mailbox = parse_mailbox(from);
        if (!mailbox) return std::string{"(none)"};
        return std::string{mailbox->name} + "|" + std::string{mailbox->address};
    };
    EXPECT_EQ(shown("a@b.org"), "|a@b.org");
    EXPECT_EQ(shown("Shows <a@b.org>"), "Shows|a@b.org");
    EXPECT_EQ(shown("\"Shows, Ltd\" <a@b.org>"), "Shows, Ltd|a@b.org");
    EXPECT_EQ(shown("<a@b.org>"), "|a@b.org");
    for (const std::string bad : {"", "x", "a@b.org>", "Shows a@b.org", "S <a@b.org> <c@d.org>",
                                  "S\r\nBcc: x <a@b.org>", "S <a@b.org"}) {
        EXPECT_EQ(shown(bad), "(none)") << bad;
    }
}

TEST(SendGridDeathTest, NeverPutsAnUncheckedAddressOnTheWire) {
    Content content;
    content.text = text("x");
    const std::array one{Message{"1", "a@example.com\"},{", nullptr, "0.AAAAAAAAAAA"}};
    EXPECT_DEATH(static_cast<void>(compose(sendgrid_account(), content, one)), "sendable");
}

}  // namespace
}  // namespace fanfare::testing
