#include "sim/providers/sendgrid/sendgrid.hpp"

#include "tests/unit/sim/provider_case.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace fanfare::sim {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;

OwnedRequest mail(const std::string& body) {
    return {.path = "/v3/mail/send",
            .headers = {{"authorization", "Bearer SG.0123456789abcdef0123456789abcdef"},
                        {"content-type", "application/json"},
                        {"accept", "application/json"}},
            .body = body};
}

json::object good_mail() {
    return json::parse(R"({
        "from": {"email": "news@example.org", "name": "News"},
        "subject": "Hi -tag-",
        "content": [{"type": "text/plain", "value": "Hello -tag-"},
                    {"type": "text/html", "value": "<p>-tag-</p>"}],
        "categories": ["news"],
        "personalizations": [
            {"to": [{"email": "a@example.com"}], "custom_args": {"fanfare": "job-1.3.0.T"},
             "substitutions": {"-tag-": "A"},
             "headers": {"List-Unsubscribe": "<https://u/a>"}},
            {"to": [{"email": "b@example.com"}], "custom_args": {"fanfare": "job-1.3.1.T"},
             "substitutions": {"-tag-": "B"}}]})")
        .as_object();
}

/// Sets what a path such as "personalizations/1/to" names to a JSON text; "-": removes it.
json::object with(json::object mail, const std::string& path, const std::string& value) {
    const auto slash = path.rfind('/');
    json::value root = mail;
    auto& parent = slash == path.npos ? root : root.at_pointer("/" + path.substr(0, slash));
    const auto name = slash == path.npos ? path : path.substr(slash + 1);
    if (value == "-") {
        parent.as_object().erase(name);
    } else {
        parent.as_object()[name] = json::parse(value);
    }
    return root.as_object();
}

class SendGridTest : public testing::Test {
protected:
    const Checked& checked_for(const json::object& body) {
        request_ = mail(json::serialize(body));
        check(*sendgrid_, request_, checked_);
        return checked_;
    }

    std::unique_ptr<SimulatedProvider> sendgrid_ = make_sendgrid({});
    OwnedRequest request_;
    Checked checked_;
};

TEST_F(SendGridTest, TakesABatch) {
    const auto& checked = checked_for(good_mail());
    EXPECT_EQ(checked.answer.status, 202) << checked.answer.body;
    EXPECT_EQ(checked.answer.body, "");
    EXPECT_EQ(checked.answer.headers.at(0).first, "x-message-id");
    EXPECT_EQ(checked.kind, Checked::Kind::message);
    EXPECT_THAT(checked.recipients, ElementsAre("a@example.com", "b@example.com"));
    EXPECT_EQ(checked.reference, "job-1.3.0.T");
    EXPECT_FALSE(checked.leak);
    EXPECT_EQ(checked.unfilled, 0U);
}

TEST_F(SendGridTest, SeesThatPeopleSeeEachOther) {
    const auto* const two = R"([{"email":"a@example.com"},{"email":"c@example.com"}])";
    EXPECT_TRUE(checked_for(with(good_mail(), "personalizations/0/to", two)).leak);
    EXPECT_THAT(checked_.recipients,
                ElementsAre("a@example.com", "c@example.com", "b@example.com"));
    EXPECT_THAT(checked_.places, ElementsAre(0U, 0U, 1U));
    const auto* const copy = R"([{"email":"c@example.com"}])";
    EXPECT_TRUE(checked_for(with(good_mail(), "personalizations/0/cc", copy)).leak);
    EXPECT_FALSE(checked_for(with(good_mail(), "personalizations/0/bcc", copy)).leak);
}

TEST_F(SendGridTest, CountsPeopleWithoutValuesOfTheirOwn) {
    EXPECT_EQ(checked_for(with(good_mail(), "personalizations/1/substitutions", "-")).unfilled, 1U);
    EXPECT_EQ(checked_for(with(good_mail(), "personalizations/1/substitutions", "{}")).unfilled,
              1U);
}

TEST_F(SendGridTest, SendsTwiceToOneInTwoPersonalizations) {
    const auto* const again = R"([{"email":"a@example.com"}])";
    EXPECT_THAT(checked_for(with(good_mail(), "personalizations/1/to", again)).recipients,
                ElementsAre("a@example.com", "a@example.com"));
}

TEST_F(SendGridTest, TakesAThousand) {
    auto body = good_mail();
    auto& people = body["personalizations"].emplace_array();
    for (int i = 0; i < 1'000; ++i) {
        people.push_back(
            json::parse(fmt::format(R"({{"to":[{{"email":"x{}@example.com"}}]}})", i)));
    }
    EXPECT_EQ(checked_for(body).recipients.size(), 1'000U) << checked_.answer.body;
    EXPECT_EQ(checked_.answer.status, 202);
    people.push_back(json::parse(R"({"to":[{"email":"more@example.com"}]})"));
    EXPECT_EQ(checked_for(body).answer.status, 400);
}

TEST_F(SendGridTest, SendsNothingInTheSandbox) {
    const auto& checked =
        checked_for(with(good_mail(), "mail_settings", R"({"sandbox_mode":{"enable":true}})"));
    EXPECT_EQ(checked.answer.status, 200);
    EXPECT_EQ(checked.kind, Checked::Kind::other);
}

TEST_F(SendGridTest, ChecksKeyMethodAndTypes) {
    const auto status = [this](auto change) {
        request_ = mail(json::serialize(good_mail()));
        change(request_);
        check(*sendgrid_, request_, checked_);
        return checked_.answer.status;
    };
    EXPECT_EQ(status([](auto& r) { r.headers[0].second = "Bearer SG.other"; }), 401);
    EXPECT_EQ(status([](auto& r) { r.method = "GET"; }), 405);
    EXPECT_EQ(status([](auto& r) { r.headers[1].second = "text/plain"; }), 415);
    EXPECT_EQ(status([](auto& r) { r.headers[2].second = "text/html"; }), 406);
    EXPECT_EQ(status([](auto& r) { r.body.pop_back(); }), 400);
    EXPECT_EQ(status([](auto&) {}), 202);
}

struct BadMail {
    const char* why;
    std::string path, value;
    std::string field;
};
void PrintTo(const BadMail& bad, std::ostream* out) { *out << bad.why; }

class SendGridBadMailTest : public testing::TestWithParam<BadMail> {};

TEST_P(SendGridBadMailTest, IsRefused) {
    const auto& bad = GetParam();
    auto request = mail(json::serialize(with(good_mail(), bad.path, bad.value)));
    Checked checked;
    check(*make_sendgrid({}), request, checked);
    EXPECT_EQ(checked.answer.status, 400);
    EXPECT_EQ(checked.kind, Checked::Kind::bad);
    EXPECT_THAT(checked.answer.body, HasSubstr("\"field\":\"" + bad.field + "\""));
}

std::string many(int count) {
    std::string object = "{";
    for (int i = 0; i < count; ++i) object += fmt::format(R"({}"t{}":"v")", i == 0 ? "" : ",", i);
    return object + "}";
}

const std::string person = "personalizations.1.";

INSTANTIATE_TEST_SUITE_P(
    All, SendGridBadMailTest,
    testing::Values(
        BadMail{"no from", "from", "-", "from.email"},
        BadMail{"bad from", "from", R"({"email":"x"})", "from.email"},
        BadMail{"no subject", "subject", "-", "subject"},
        BadMail{"empty subject", "subject", "\"\"", "subject"},
        BadMail{"no content", "content", "[]", "content"},
        BadMail{"empty content", "content", R"([{"type":"text/plain","value":""}])",
                "content.0.value"},
        BadMail{"html first", "content",
                R"([{"type":"text/html","value":"x"},{"type":"text/plain","value":"x"}])",
                "content.1.type"},
        BadMail{"nobody", "personalizations", "[]", "personalizations"},
        BadMail{"no to", "personalizations/1/to", "-", person + "to"},
        BadMail{"bad to", "personalizations/1/to", R"([{"email":"b@"}])", person + "to.0.email"},
        BadMail{"repeated to", "personalizations/1/to",
                R"([{"email":"b@example.com"},{"email":"b@example.com"}])", person + "to.1.email"},
        BadMail{"numbers", "personalizations/1/custom_args", R"({"n":1})", person + "custom_args"},
        BadMail{"151 tags", "personalizations/1/substitutions", many(151),
                person + "substitutions"},
        BadMail{"10 KB", "personalizations/1/substitutions",
                "{\"t\":\"" + std::string(10'000, 'x') + "\"}", person + "substitutions"},
        BadMail{"reserved header", "personalizations/1/headers", R"({"subject":"x"})",
                person + "headers"},
        BadMail{"header lines", "personalizations/1/headers", R"({"X-A":"a\r\nBcc: b"})",
                person + "headers"},
        BadMail{"unknown field", "personalizations/1/colour", "1", person + "colour"},
        BadMail{"unknown field of the call", "colour", "1", "colour"},
        BadMail{"categories", "categories", R"(["a","a"])", "categories"},
        BadMail{"pool", "ip_pool_name", "\"x\"", "ip_pool_name"},
        BadMail{"too late", "send_at", "1767600000", "send_at"}));

TEST_F(SendGridTest, ShowsWhatOnePersonSees) {
    request_ = mail(json::serialize(good_mail()));
    const auto message = sendgrid_->render(request_.view(), "a@example.com");
    ASSERT_TRUE(message);
    EXPECT_EQ(message->at("subject"), "Hi A");
    EXPECT_EQ(message->at("text"), "Hello A");
    EXPECT_EQ(message->at("html"), "<p>A</p>");
    EXPECT_EQ(json::serialize(message->at("to")), R"(["a@example.com"])");
    EXPECT_EQ(message->at("headers").at("List-Unsubscribe"), "<https://u/a>");
    EXPECT_EQ(message->at("variables").at("fanfare"), "job-1.3.0.T");
    EXPECT_FALSE(sendgrid_->render(request_.view(), "c@example.com"));
    request_ = mail(R"({"personalizations":[{"to":7}]})");
    EXPECT_FALSE(sendgrid_->render(request_.view(), "a@example.com"));
}

TEST_F(SendGridTest, NamesAllWhoAreRefused) {
    Answer answer;
    const std::vector<Refused> refused{{2, ""}, {7, "headers"}};
    Trouble trouble{.kind = Trouble::Kind::refuse, .recipient = {}, .code = {}};
    trouble.refused = refused;
    sendgrid_->refuse(trouble, answer);
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr("\"personalizations.2.to.0.email\""));
    EXPECT_THAT(answer.body, HasSubstr("\"personalizations.7.headers\""));
}

TEST_F(SendGridTest, TellsWhenToComeBack) {
    Answer answer;
    sendgrid_->refuse({.kind = Trouble::Kind::throttle,
                       .recipient = {},
                       .code = {},
                       .now_s = 100,
                       .retry_after_s = 7},
                      answer);
    EXPECT_EQ(answer.status, 429);
    EXPECT_THAT(answer.headers, testing::Contains(std::pair<std::string_view, std::string>(
                                    "x-ratelimit-reset", "107")));
}

}  // namespace
}  // namespace fanfare::sim
