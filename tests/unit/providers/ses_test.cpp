#include "core/providers/ses/ses.hpp"

#include "core/providers/registry.hpp"
#include "core/providers/ses/bulk_template.hpp"
#include "tests/contract/accounts.hpp"
#include "tests/contract/wire_reader.hpp"

#include <gtest/gtest.h>

#include <array>

namespace fanfare::testing {
namespace {

Text text(std::string literal) { return {{std::move(literal), {}}}; }

HttpRequest compose(const Provider& provider, const Content& content,
                    std::span<const Message> messages, const std::string& prefix = "") {
    const SendReference reference{"6f1c2b1e-0000-4000-8000-000000000001", 3, "show.reminder",
                                  prefix};
    HttpRequest request;
    provider.compose({content, messages, reference, 0}, request);
    return request;
}

HttpRequest compose_one(const Provider& provider) {
    Content content;
    content.subject = content.text = text("x");
    const std::array one{Message{"1", "a@example.com", nullptr, "0.AAAAAAAAAAA"}};
    return compose(provider, content, one);
}

TEST(Ses, WritesTheWholeCall) {
    Content content;
    content.variables = {"name"};
    content.subject = {{"Hi ", Slot{0, Escape::none}}};
    content.text = {{"Hello ", Slot{0, Escape::none}}, {",\n{x}!", {}}};
    content.html = {{"<p>Hello ", Slot{0, Escape::html}}, {"</p>", {}}};
    const std::array<std::string_view, 1> ann{"Ann \"A\" <b>"};
    const std::array<std::string_view, 1> bob{"{{v0}}\\"};
    const std::array messages{Message{"1", "a@example.com", ann.data(), "0.AA_AAAAA-AA"},
                              Message{"2", "b@example.com", bob.data(), "1.BBBBBBBBBBB"}};
    const auto request =
        compose(*open(ses_account()), content, messages, "https://h.example.com/u/j.3.");
    EXPECT_EQ(request.url, "https://email.us-east-1.amazonaws.com/v2/email/outbound-bulk-emails");
    EXPECT_FALSE(request.http2);
    EXPECT_EQ(request.body,
              R"({"FromEmailAddress":"Shows <shows@example.org>","ConfigurationSetName":"fanfare",)"
              R"("DefaultContent":{"Template":{"TemplateContent":{"Subject":"Hi {{v0}}",)"
              R"("Text":"Hello {{v0}},\n{{o}}x{{c}}!","Html":"<p>Hello {{h0}}</p>"},)"
              R"("TemplateData":"{\"o\":\"{\",\"c\":\"}\"}"}},)"
              R"("DefaultEmailTags":[{"Name":"kind","Value":"show-reminder"}],"BulkEmailEntries":[)"
              R"({"Destination":{"ToAddresses":["a@example.com"]},"ReplacementEmailContent":)"
              R"({"ReplacementTemplate":{"ReplacementTemplateData":"{\"v0\":\"Ann \\\"A\\\" <b>\",)"
              R"(\"h0\":\"Ann &quot;A&quot; &lt;b&gt;\",\"o\":\"{\",\"c\":\"}\"}"}},)"
              R"("ReplacementTags":[{"Name":"fanfare",)"
              R"("Value":"6f1c2b1e-0000-4000-8000-000000000001_3_0_AA_AAAAA-AA"}],)"
              R"("ReplacementHeaders":[{"Name":"List-Unsubscribe",)"
              R"("Value":"<https://h.example.com/u/j.3.0.AA_AAAAA-AA>"},)"
              R"({"Name":"List-Unsubscribe-Post","Value":"List-Unsubscribe=One-Click"}]},)"
              R"({"Destination":{"ToAddresses":["b@example.com"]},"ReplacementEmailContent":)"
              R"({"ReplacementTemplate":{"ReplacementTemplateData":"{\"v0\":\"{{v0}}\\\\\",)"
              R"(\"h0\":\"{{v0}}\\\\\",\"o\":\"{\",\"c\":\"}\"}"}},)"
              R"("ReplacementTags":[{"Name":"fanfare",)"
              R"("Value":"6f1c2b1e-0000-4000-8000-000000000001_3_1_BBBBBBBBBBB"}],)"
              R"("ReplacementHeaders":[{"Name":"List-Unsubscribe",)"
              R"("Value":"<https://h.example.com/u/j.3.1.BBBBBBBBBBB>"},)"
              R"({"Name":"List-Unsubscribe-Post","Value":"List-Unsubscribe=One-Click"}]}]})");
}

TEST(Ses, SignsWhatItSends) {
    auto account = ses_account();
    account.secrets.emplace("session_token", Secret{"IQoJb3JpZ2luX2VjEXAMPLETOKEN=="});
    const auto request = compose_one(*open(account));
    EXPECT_EQ(header(request, "X-Amz-Date"), "20260101T000000Z");
    EXPECT_EQ(header(request, "X-Amz-Security-Token"), "IQoJb3JpZ2luX2VjEXAMPLETOKEN==");
    EXPECT_TRUE(header(request, "Authorization")
                    .starts_with("AWS4-HMAC-SHA256 "
                                 "Credential=AKIDEXAMPLE/20260101/us-east-1/ses/aws4_request, "
                                 "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
                                 "Signature="));
}

TEST(Ses, GoesByTheServersClockOnceRefused) {
    ManualClock clock{TimePoint{std::chrono::seconds{test_now}}};
    auto made = make_provider(ses_account(), {.callback_url = "", .clock = &clock});
    auto& provider = *std::get<0>(made);
    const auto date = [&] { return header(compose_one(provider), "X-Amz-Date"); };
    HttpAnswer refusal;
    refusal.date = "Thu, 01 Jan 2026 00:10:00 GMT";
    provider.renew(refusal);
    EXPECT_EQ(date(), "20260101T001000Z");
    clock.advance(std::chrono::seconds{30});
    EXPECT_EQ(date(), "20260101T001030Z") << "each request is signed anew";
    for (const std::string senseless : {"", "soon", "Thu, 01 Jan 2099 00:00:00 GMT"}) {
        refusal.date = senseless;
        provider.renew(refusal);
        EXPECT_EQ(date(), "20260101T001030Z") << senseless;
    }
}

TEST(Ses, SignsTheHostAsItIsSent) {
    const auto shown = [](const std::string& base_url) {
        auto account = ses_account();
        account.allow_http = true;
        account.options["base_url"] = base_url;
        return header(compose_one(*open(account)), "Authorization");
    };
    EXPECT_EQ(shown("https://e.example.com"), shown("https://e.example.com:443"));
    EXPECT_NE(shown("https://e.example.com"), shown("https://e.example.com:8443"));
    EXPECT_EQ(shown("http://127.0.0.1"), shown("http://127.0.0.1:80"));
    EXPECT_NE(shown("https://e.example.com"), shown("https://e.example.com/prefix"));
}

TEST(Ses, WritesNamesBeyondAsciiAsEncodedWords) {
    auto account = ses_account();
    account.options["from"] = "Se\xC3\xB1or <s@example.org>";
    EXPECT_NE(compose_one(*open(account))
                  .body.find(R"("FromEmailAddress":"=?UTF-8?B?U2XDsW9y?= <s@example.org>")"),
              std::string::npos);
}

struct Written {
    std::string text;
    std::string data;
};

Written write(const Text& source, ses::Place place, std::string_view value = "Ann") {
    Content content;
    content.variables = {"name"};
    ses::BulkTemplate texts{content};
    Written out;
    texts.append_text(source, place, out.text);
    texts.append_data({"1", "a@example.com", &value, "0.AAAAAAAAAAA"}, out.data);
    return out;
}

TEST(BulkTemplate, MovesSignsOfTheLanguageIntoTheData) {
    const auto written = write({{"{{x}} \\{", Slot{0, Escape::none}}, {"}", {}}}, ses::Place::body);
    EXPECT_EQ(written.text, "{{o}}{{o}}x{{c}}{{c}} {{s}}{{o}}{{v0}}{{c}}");
    EXPECT_EQ(written.data, R"({\"v0\":\"Ann\",\"o\":\"{\",\"c\":\"}\",\"s\":\"\\\\\"})");
    EXPECT_EQ(write(text("plain"), ses::Place::body).data, "{}");
}

TEST(BulkTemplate, KeepsTheSubjectOnOneLine) {
    EXPECT_EQ(write(text("a\r\nBcc: x\tb"), ses::Place::subject).text, "a  Bcc: x b");
    EXPECT_EQ(write({{"", Slot{0, Escape::none}}}, ses::Place::subject, "a\r\nb").data,
              R"({\"v0\":\"a  b\"})");
}

TEST(BulkTemplate, CutsWhatWouldMakeSesRefuseTheCall) {
    const Text slot{{"", Slot{0, Escape::none}}};
    const auto most = ses::BulkTemplate::value_bytes_max;
    const auto written = write(slot, ses::Place::body, "x" + std::string(most, 'y')).data;
    EXPECT_EQ(written, R"({\"v0\":\"x)" + std::string(most - 1, 'y') + R"(\"})");
    std::string value(most - 1, 'x');
    value += "\xC3\xA9";
    EXPECT_EQ(write(slot, ses::Place::body, value).data,
              R"({\"v0\":\")" + std::string(most - 1, 'x') + R"(\"})");
}

TEST(SesReference, IsATagThatSesTakes) {
    const auto tag_of_reference = [](std::string_view reference) {
        std::string tag;
        ses::append_tag_of_reference(reference, tag);
        return tag;
    };
    const std::string job = "6f1c2b1e-0000-4000-8000-000000000001";
    EXPECT_EQ(tag_of_reference(job + ".0.0.AAAAAAAAAAA"), job + "_0_0_AAAAAAAAAAA");
    EXPECT_EQ(tag_of_reference(job + ".12.345.-_A_-_A-_-_"), job + "_12_345_-_A_-_A-_-_");
    EXPECT_EQ(tag_of_reference(job + ".1.2"), job + "_1_2");
    EXPECT_EQ(tag_of_reference("a b\n.1.2.x.y"), "a-b-_1_2_x-y");
    EXPECT_EQ(tag_of_reference(std::string(1000, 'x')).size(), 256U);
}

TEST(SesDeathTest, NeverPutsAnUncheckedAddressOnTheWire) {
    Content content;
    content.text = text("x");
    const std::array one{Message{"1", "a@example.com\"},{", nullptr, "0.AAAAAAAAAAA"}};
    EXPECT_DEATH(static_cast<void>(compose(*open(ses_account()), content, one)), "sendable");
}

}  // namespace
}  // namespace fanfare::testing
