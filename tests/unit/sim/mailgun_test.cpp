#include "sim/providers/mailgun/mailgun.hpp"

#include "tests/unit/sim/provider_case.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

namespace fanfare::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Form = std::vector<std::pair<std::string, std::string>>;

constexpr auto good_key = "Basic YXBpOmtleS0wMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==";

OwnedRequest multipart(const Form& form) {
    OwnedRequest request{.path = "/v3/mg.example.org/messages",
                         .headers = {{"Authorization", good_key},
                                     {"Content-Type", "multipart/form-data; boundary=X"}},
                         .body = {}};
    for (const auto& [name, value] : form) {
        request.body += fmt::format(
            "--X\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{}\r\n", name, value);
    }
    request.body += "--X--\r\n";
    return request;
}

Form good_form() {
    return {
        {"from", "News <news@mg.example.org>"},
        {"to", "a@example.com"},
        {"to", "Bob <b@example.com>"},
        {"subject", "Hi %recipient.name%"},
        {"text", "Hello %recipient.name%"},
        {"v:fanfare", "job-1.3"},
        {"recipient-variables", R"({"a@example.com":{"name":"A"},"b@example.com":{"name":"B"}})"}};
}

Form with(Form form, const std::string& name, const std::string& value) {
    std::erase_if(form, [&](const auto& field) { return field.first == name; });
    form.emplace_back(name, value);
    return form;
}

Form without(Form form, const std::string& name) {
    std::erase_if(form, [&](const auto& field) { return field.first == name; });
    return form;
}

class MailgunTest : public testing::Test {
protected:
    const Checked& checked_for(const Form& form) {
        request_ = multipart(form);
        check(*mailgun_, request_, checked_);
        return checked_;
    }

    std::unique_ptr<SimulatedProvider> mailgun_ = make_mailgun({});
    OwnedRequest request_;
    Checked checked_;
};

TEST_F(MailgunTest, TakesABatch) {
    const auto& checked = checked_for(good_form());
    EXPECT_EQ(checked.answer.status, 200) << checked.answer.body;
    EXPECT_EQ(checked.kind, Checked::Kind::message);
    EXPECT_THAT(checked.recipients, ElementsAre("a@example.com", "b@example.com"));
    EXPECT_EQ(checked.reference, "job-1.3");
    EXPECT_FALSE(checked.leak);
    EXPECT_EQ(checked.unfilled, 0U);
    EXPECT_THAT(checked.answer.body,
                HasSubstr("@mg.example.org>\",\"message\":\"Queued. Thank you.\""));
}

TEST_F(MailgunTest, CollapsesRepeatedAddresses) {
    auto form = good_form();
    form.emplace_back("to", "a@example.com,b@example.com");
    EXPECT_EQ(checked_for(form).recipients.size(), 2U);
}

TEST_F(MailgunTest, WithoutVariablesEveryoneSeesEveryone) {
    EXPECT_TRUE(checked_for(without(good_form(), "recipient-variables")).leak);
    EXPECT_EQ(checked_.kind, Checked::Kind::message);
    auto alone = with(without(good_form(), "recipient-variables"), "to", "a@example.com");
    EXPECT_FALSE(checked_for(alone).leak);
}

TEST_F(MailgunTest, CountsRecipientsWithoutVariablesOfTheirOwn) {
    const auto& checked =
        checked_for(with(good_form(), "recipient-variables", R"({"a@example.com":{}})"));
    EXPECT_EQ(checked.unfilled, 1U);
    EXPECT_FALSE(checked.leak);
}

TEST_F(MailgunTest, RefusesMoreThanAThousand) {
    Form form = with(good_form(), "recipient-variables", "{}");
    std::string list = "x0@example.com";
    for (int i = 1; i < 1'000; ++i) list += fmt::format(",x{}@example.com", i);
    EXPECT_EQ(checked_for(with(form, "to", list)).answer.status, 200);
    const auto& more = checked_for(with(form, "to", list + ",more@example.com"));
    EXPECT_EQ(more.answer.status, 400);
    EXPECT_THAT(more.answer.body, HasSubstr("Too many recipients, max is 1000"));
}

TEST_F(MailgunTest, RefusesABadKeyInPlainText) {
    request_ = multipart(good_form());
    request_.headers[0].second = "Basic bm9uc2Vuc2U=";
    check(*mailgun_, request_, checked_);
    EXPECT_EQ(checked_.answer.status, 401);
    EXPECT_EQ(checked_.answer.body, "Forbidden");
}

TEST_F(MailgunTest, TakesUrlEncodedForms) {
    request_ = {.path = "/v3/d/messages",
                .headers = {{"authorization", good_key},
                            {"content-type", "application/x-www-form-urlencoded"}},
                .body = "from=a%40b.cc&to=x%2By%40example.com&text=t"};
    check(*mailgun_, request_, checked_);
    EXPECT_THAT(checked_.recipients, ElementsAre("x+y@example.com")) << checked_.answer.body;
}

struct BadForm {
    const char* why;
    std::string field, value;  // Value "-": the field is left out.
    const char* text;
};
void PrintTo(const BadForm& bad, std::ostream* out) { *out << bad.why; }

class MailgunBadFormTest : public testing::TestWithParam<BadForm> {};

TEST_P(MailgunBadFormTest, IsRefused) {
    const auto& bad = GetParam();
    auto request = multipart(bad.value == "-" ? without(good_form(), bad.field)
                                              : with(good_form(), bad.field, bad.value));
    Checked checked;
    check(*make_mailgun({}), request, checked);
    EXPECT_EQ(checked.answer.status, 400);
    EXPECT_EQ(checked.kind, Checked::Kind::bad);
    EXPECT_THAT(checked.answer.body, HasSubstr(bad.text));
}

INSTANTIATE_TEST_SUITE_P(
    All, MailgunBadFormTest,
    testing::Values(
        BadForm{"no from", "from", "-", "from parameter is missing"},
        BadForm{"bad from", "from", "news", "from parameter is not a valid address"},
        BadForm{"no to", "to", "-", "to parameter is missing"},
        BadForm{"bad to", "to", "a@example.com, b@", "to parameter is not a valid address. please"},
        BadForm{"two dots", "to", "a..b@example.com", "to parameter is not a valid address"},
        BadForm{"no top level", "to", "a@localhost", "to parameter is not a valid address"},
        BadForm{"blank inside", "to", "a b@example.com", "to parameter is not a valid address"},
        BadForm{"bad cc", "cc", "x", "cc parameter is not a valid address"},
        BadForm{"no body", "text", "-", "Need at least one of"},
        BadForm{"variables no JSON", "recipient-variables", "{", "recipient-variables"},
        BadForm{"variables a list", "recipient-variables", "[]", "recipient-variables"},
        BadForm{"variables flat", "recipient-variables", R"({"a@b.c":1})", "recipient-variables"},
        BadForm{"16 KB", "v:big", std::string(16'385, 'x'), "16KB"},
        BadForm{"header name", "h:Ünicode", "x", "header"},
        BadForm{"header lines", "h:X-A", "a\r\nBcc: b", "header"},
        BadForm{"long tag", "o:tag", std::string(129, 't'), "o:tag"},
        BadForm{"bad date", "o:deliverytime", "tomorrow", "o:deliverytime"},
        BadForm{"late date", "o:deliverytime", "Tue, 06 Jan 2026 00:00:00 +0000", "o:deliverytime"},
        BadForm{"bad period", "o:deliver-within", "2m", "o:deliver-within"},
        BadForm{"bad switch", "o:tracking", "maybe", "o:tracking"}));

TEST_F(MailgunTest, ShowsWhatOnePersonSees) {
    auto form = good_form();
    form.emplace_back("h:List-Unsubscribe", "<https://u/%recipient.name%>");
    form.emplace_back("o:tag", "news");
    request_ = multipart(form);
    const auto message = mailgun_->render(request_.view(), "b@example.com");
    ASSERT_TRUE(message);
    EXPECT_EQ(message->at("subject"), "Hi B");
    EXPECT_EQ(message->at("text"), "Hello B");
    EXPECT_EQ(boost::json::serialize(message->at("to")), R"(["b@example.com"])");
    EXPECT_EQ(message->at("headers").at("List-Unsubscribe"), "<https://u/B>");
    EXPECT_EQ(message->at("variables").at("fanfare"), "job-1.3");
    EXPECT_EQ(message->at("options").at("tag"), "news");
    EXPECT_EQ(message->at("from"), "News <news@mg.example.org>");
    EXPECT_FALSE(mailgun_->render(request_.view(), "c@example.com"));
}

TEST_F(MailgunTest, TellsWhenToComeBack) {
    Answer answer;
    mailgun_->refuse({.kind = Trouble::Kind::throttle,
                      .recipient = {},
                      .code = {},
                      .now_s = 100,
                      .retry_after_s = 7},
                     answer);
    EXPECT_EQ(answer.status, 429);
    EXPECT_THAT(answer.headers,
                ElementsAre(std::pair<std::string_view, std::string>("x-ratelimit-reset", "107")));
}

}  // namespace
}  // namespace fanfare::sim
