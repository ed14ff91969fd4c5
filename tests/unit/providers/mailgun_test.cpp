#include "core/providers/mailgun/recipient_variables.hpp"
#include "core/providers/provider.hpp"
#include "tests/contract/accounts.hpp"
#include "tests/contract/wire_reader.hpp"

#include <gtest/gtest.h>

#include <array>

namespace fanfare::testing {
namespace {

using Parts = std::vector<std::pair<std::string, std::string>>;

Text text(std::string literal) { return {{std::move(literal), {}}}; }

HttpRequest compose(const AccountSettings& account, const Content& content,
                    std::span<const Message> messages, std::int64_t expires_at = 0,
                    const std::string& unsubscribe_prefix = "") {
    const SendReference reference{"job-1", 3, "show.reminder", unsubscribe_prefix};
    HttpRequest request;
    open(account)->compose({content, messages, reference, expires_at}, request);
    return request;
}

std::string value_of(const Parts& parts, const std::string& name) {
    for (const auto& [key, value] : parts) {
        if (key == name) return value;
    }
    return "(none)";
}

TEST(Mailgun, WritesTheWholeCall) {
    Content content;
    content.variables = {"name"};
    content.subject = {{"Hi ", Slot{0, Escape::none}}};
    content.text = {{"Hello ", Slot{0, Escape::none}}, {",\r\n50%!", {}}};
    content.html = {{"<p>Hello ", Slot{0, Escape::html}}, {"</p>", {}}};
    const std::array<std::string_view, 1> ann{"Ann \"A\" <b>"};
    const std::array<std::string_view, 1> bob{
        "B\xC3\xB6"
        "b"};
    const std::array messages{Message{"1", "a@example.com", ann.data(), "0.AAAAAAAAAAA"},
                              Message{"2", "b@example.com", bob.data(), "1.BBBBBBBBBBB"}};
    auto account = mailgun_account();
    account.options["tag"] = "autumn";
    account.options["tracking"] = "no";
    const auto request = compose(account, content, messages, test_now + 900);

    EXPECT_EQ(request.url, "https://api.mailgun.net/v3/mg.example.org/messages");
    EXPECT_EQ(header(request, "Authorization"),
              "Basic YXBpOmtleS0wMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==");
    EXPECT_FALSE(request.http2);
    const Parts expected{
        {"from", "Shows <shows@mg.example.org>"},
        {"o:tag", "autumn"},
        {"o:tracking", "no"},
        {"to", "a@example.com"},
        {"to", "b@example.com"},
        {"subject", "Hi %recipient.v0%"},
        {"text", "Hello %recipient.v0%,\n50%!"},
        {"html", "<p>Hello %recipient.h0%</p>"},
        {"v:fanfare", "job-1.3"},
        {"v:person", "%recipient.id%"},
        {"o:tag", "show.reminder"},
        {"o:deliver-within", "0h15m"},
        {"recipient-variables", R"({"a@example.com":{"id":"0.AAAAAAAAAAA","v0":"Ann \"A\" <b>",)"
                                R"("h0":"Ann &quot;A&quot; &lt;b&gt;"},)"
                                "\"b@example.com\":{\"id\":\"1.BBBBBBBBBBB\",\"v0\":\"B\xC3\xB6"
                                "b\",\"h0\":\"B\xC3\xB6"
                                "b\"}}"},
    };
    EXPECT_EQ(read_multipart(request), expected);
}

TEST(Mailgun, AlwaysSendsAnEntryForEveryAddress) {
    Content content;
    content.text = text("soon");
    const std::array one{Message{"1", "a@example.com", nullptr, "0.AAAAAAAAAAA"}};
    EXPECT_EQ(
        value_of(read_multipart(compose(mailgun_account(), content, one)), "recipient-variables"),
        R"({"a@example.com":{"id":"0.AAAAAAAAAAA"}})");
}

TEST(Mailgun, AddsOneClickUnsubscribeWherePeopleHaveAnAddressForIt) {
    Content content;
    content.text = text("soon");
    content.variables = {"name", "unsubscribe_url"};
    const std::array<std::string_view, 2> values{"Ann", "https://u.example.org/o?t=a%2Fb"};
    const std::array one{Message{"1", "a@example.com", values.data(), "0.AAAAAAAAAAA"}};
    const auto parts = read_multipart(compose(mailgun_account(), content, one));
    EXPECT_EQ(value_of(parts, "h:List-Unsubscribe"), "<%recipient.v1%>");
    EXPECT_EQ(value_of(parts, "h:List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    EXPECT_EQ(value_of(parts, "recipient-variables"),
              R"({"a@example.com":{"id":"0.AAAAAAAAAAA","v1":"https://u.example.org/o?t=a%2Fb"}})");
}

TEST(Mailgun, AddsOneClickUnsubscribeByReference) {
    Content content;
    content.text = text("soon");
    const std::array one{Message{"1", "a@example.com", nullptr, "0.AAAAAAAAAAA"}};
    const std::string prefix = "https://h.example.com/u/job-1.3.";
    auto parts = read_multipart(compose(mailgun_account(), content, one, 0, prefix));
    EXPECT_EQ(value_of(parts, "h:List-Unsubscribe"),
              "<https://h.example.com/u/job-1.3.%recipient.id%>");
    EXPECT_EQ(value_of(parts, "h:List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    const auto reading = read_mailgun(compose(mailgun_account(), content, one, 0, prefix));
    ASSERT_EQ(reading.deliveries.size(), 1U);
    EXPECT_EQ(reading.deliveries[0].seen.at("h:List-Unsubscribe"),
              "<https://h.example.com/u/job-1.3.0.AAAAAAAAAAA>");

    const std::array sealed{
        Message{"1", "a@example.com", nullptr, "0.AAAAAAAAAAA", "sssssssssssssssssssss0"},
        Message{"2", "b@example.com", nullptr, "1.BBBBBBBBBBB", "sssssssssssssssssssss1"}};
    const auto links = read_mailgun(compose(mailgun_account(), content, sealed, 0, prefix));
    ASSERT_EQ(links.deliveries.size(), 2U);
    EXPECT_EQ(links.deliveries[0].seen.at("h:List-Unsubscribe"),
              "<https://h.example.com/u/job-1.3.0.AAAAAAAAAAA?a=sssssssssssssssssssss0>");
    EXPECT_EQ(links.deliveries[1].seen.at("h:List-Unsubscribe"),
              "<https://h.example.com/u/job-1.3.1.BBBBBBBBBBB?a=sssssssssssssssssssss1>");

    content.variables = {"unsubscribe_url"};
    const std::string_view own = "https://own.example.org/o";
    const std::array with_own{Message{"1", "a@example.com", &own, "0.AAAAAAAAAAA"}};
    parts = read_multipart(compose(mailgun_account(), content, with_own, 0, prefix));
    EXPECT_EQ(value_of(parts, "h:List-Unsubscribe"), "<%recipient.v0%>") << "one's own wins";
}

TEST(Mailgun, HasNoUnsubscribeHeaderUnlessAllHaveALink) {
    Content content;
    content.text = text("soon");
    content.variables = {"unsubscribe_url"};
    const std::string_view good = "https://u.example.org/1";
    for (const std::string_view bad :
         {"", "mailto:stop@example.org", "https://x/a b", "https://x/\xC3\xA9", "http://x/"}) {
        const std::array two{Message{"1", "a@example.com", &good, "0.AAAAAAAAAAA"},
                             Message{"2", "b@example.com", &bad, "1.BBBBBBBBBBB"}};
        const auto parts = read_multipart(compose(mailgun_account(), content, two));
        EXPECT_EQ(value_of(parts, "h:List-Unsubscribe"), "(none)") << bad;
        EXPECT_EQ(value_of(parts, "h:List-Unsubscribe-Post"), "(none)") << bad;
    }
    const std::string long_link = "https://u.example.org/" + std::string(1'218, 'x');
    const std::string_view too_long = long_link;
    const std::array one{Message{"1", "a@example.com", &too_long, "0.AAAAAAAAAAA"}};
    const auto parts = read_multipart(compose(mailgun_account(), content, one));
    EXPECT_EQ(value_of(parts, "h:List-Unsubscribe"), "(none)");
}

TEST(Mailgun, KeepsItsBoundaryOutOfEveryPart) {
    Content content;
    content.text = text("x");
    const std::array one{Message{"1", "a@example.com", nullptr, "0.AAAAAAAAAAA"}};
    const auto type = header(compose(mailgun_account(), content, one), "Content-Type");
    const auto boundary = type.substr(type.find('=') + 1);
    // Even one who knows the boundary cannot end a part.
    content.text = text("x\r\n--" + boundary +
                        "\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\nv@example.com");
    const auto parts = read_multipart(compose(mailgun_account(), content, one));
    EXPECT_EQ(parts.size(), 8U);
    EXPECT_NE(value_of(parts, "text").find("name=\"to\"\n\nv@example.com"), std::string::npos);
    auto other = mailgun_account();
    other.secrets["api_key"] = Secret{"another"};
    EXPECT_NE(header(compose(other, content, one), "Content-Type"), type);
}

TEST(Mailgun, BoundsTheTimeOfDelivery) {
    Content content;
    content.text = text("x");
    const std::array one{Message{"1", "a@example.com", nullptr, "0.AAAAAAAAAAA"}};
    const auto within = [&](std::int64_t expires_at) {
        return value_of(read_multipart(compose(mailgun_account(), content, one, expires_at)),
                        "o:deliver-within");
    };
    EXPECT_EQ(within(0), "(none)");
    EXPECT_EQ(within(test_now - 5), "0h5m");
    EXPECT_EQ(within(test_now + 60), "0h5m");
    EXPECT_EQ(within(test_now + 5'400), "1h30m");
    EXPECT_EQ(within(test_now + 1'000'000), "24h0m");
}

/// One text part, and the table of one person with the given value.
struct Written {
    std::string text;
    std::string table;
};

Written write(const Text& source, mailgun::Place place, std::string_view value = "Ann") {
    Content content;
    content.variables = {"name"};
    mailgun::RecipientVariables variables{content};
    Written out;
    variables.append_text(source, place, out.text);
    const Message message{"1", "a@example.com", &value, "0.AAAAAAAAAAA"};
    variables.append_table({&message, 1}, out.table);
    return out;
}

TEST(RecipientVariables, MovesWordsBehindAPercentSign) {
    const auto written = write(text("a %unsubscribe_url% b"), mailgun::Place::text);
    EXPECT_EQ(written.text, "a %%recipient.w0%% b");
    EXPECT_EQ(written.table, R"({"a@example.com":{"id":"0.AAAAAAAAAAA","w0":"unsubscribe_url"}})");
    EXPECT_EQ(write(text("%a%a% %b"), mailgun::Place::text).text,
              "%%recipient.w0%%%recipient.w0%% %%recipient.w1%");
    EXPECT_EQ(write(text("100% 5%, %41 %C3%A9%"), mailgun::Place::text).text,
              "100% 5%, %41 %C3%A9%");
}

TEST(RecipientVariables, KeepsSlotsAndTheirNeighboursApart) {
    const auto beside = [](std::string before, std::string after) {
        return write({{std::move(before), Slot{0, Escape::none}}, {std::move(after), {}}},
                     mailgun::Place::text)
            .text;
    };
    EXPECT_EQ(beside("Hi ", "s show"), "Hi %recipient.v0%s show");
    EXPECT_EQ(beside("", "unsubscribe_url% x"), "%recipient.v0%%recipient.w0%% x");
    EXPECT_EQ(beside("%unsubscribe_url", "!"), "%%recipient.w0%%recipient.v0%!");
    EXPECT_EQ(
        write({{"", Slot{0, Escape::none}}, {"and", Slot{0, Escape::none}}}, mailgun::Place::text)
            .text,
        "%recipient.v0%%recipient.w0%%recipient.v0%");
}

TEST(RecipientVariables, UsesEntitiesInHtml) {
    const auto written =
        write(text("<a href=\"?x=%C3%A9\">%recipient.v0%</a>"), mailgun::Place::html);
    EXPECT_EQ(written.text, "<a href=\"?x=%C3%A9\">%&#114;ecipient.v0%</a>");
    EXPECT_EQ(written.table, R"({"a@example.com":{"id":"0.AAAAAAAAAAA"}})");
}

TEST(RecipientVariables, BoundsWhatEachRecipientCosts) {
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "%x" + std::to_string(i) + " ";
    const auto written = write(text(many), mailgun::Place::text);
    EXPECT_LT(written.table.size(), 300U);
    EXPECT_NE(written.text.find("%\xE2\x81\xA0x999 "), std::string::npos);
    EXPECT_LT(write(text("%" + std::string(1000, 'x')), mailgun::Place::text).table.size(), 100U);
}

TEST(RecipientVariables, LetsNoValueHoldAWord) {
    const Text slot{{"", Slot{0, Escape::none}}};
    EXPECT_EQ(
        write(slot, mailgun::Place::text, "%recipient.id%").table,
        "{\"a@example.com\":{\"id\":\"0.AAAAAAAAAAA\",\"v0\":\"%\xE2\x81\xA0recipient.id%\"}}");
    EXPECT_EQ(write(slot, mailgun::Place::text, "a\r\nb\tc").table,
              R"({"a@example.com":{"id":"0.AAAAAAAAAAA","v0":"a  b c"}})");
    const Text html{{"", Slot{0, Escape::html}}};
    EXPECT_EQ(write(html, mailgun::Place::html, "%recipient.id% '\\").table,
              R"({"a@example.com":{"id":"0.AAAAAAAAAAA","h0":"&#37;recipient.id&#37; &#39;\\"}})");
}

TEST(RecipientVariables, KeepsTheSubjectOnOneLine) {
    EXPECT_EQ(write(text("a\r\nBcc: x\tb"), mailgun::Place::subject).text, "a  Bcc: x b");
    EXPECT_EQ(write(text("a\r\nb\rc\n\td\x01"), mailgun::Place::text).text, "a\nb\nc\n\td ");
}

TEST(MailgunDeathTest, NeverPutsAnUncheckedAddressOnTheWire) {
    Content content;
    content.text = text("x");
    const std::array one{Message{"1", "a@example.com, b@example.com", nullptr, "0.AAAAAAAAAAA"}};
    EXPECT_DEATH(static_cast<void>(compose(mailgun_account(), content, one)), "sendable");
}

#ifdef NDEBUG
TEST(Mailgun, ToleratesARepeatedAddress) {
    Content content;
    content.text = text("x");
    const std::array two{Message{"1", "a@example.com", nullptr, "0.AAAAAAAAAAA"},
                         Message{"2", "a@example.com", nullptr, "1.BBBBBBBBBBB"}};
    EXPECT_TRUE(read_mailgun(compose(mailgun_account(), content, two)).error.empty());
}
#endif

}  // namespace
}  // namespace fanfare::testing
