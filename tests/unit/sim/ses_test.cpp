#include "sim/providers/ses/ses.hpp"

#include "core/providers/ses/sigv4.hpp"
#include "tests/unit/sim/provider_case.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace fanfare::sim {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto path = "/v2/email/outbound-bulk-emails";

/// Signed as the worker does, whose signatures are proven with published vectors.
OwnedRequest signed_call(const std::string& body, const std::string& token = "",
                         std::int64_t now_s = test_now_s) {
    const ses::Signer signer{
        {"AKIDEXAMPLE", Secret{"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}, token},
        "us-east-1",
        "ses"};
    const auto date = ses::amz_date(now_s);
    OwnedRequest request{
        .path = path,
        .headers = {{"host", "127.0.0.1:8080"},
                    {"content-type", "application/json"},
                    {"x-amz-date", date},
                    {"authorization", signer.authorization({.host = "127.0.0.1:8080",
                                                            .path = path,
                                                            .content_type = "application/json",
                                                            .date = date,
                                                            .session_token = {},
                                                            .body = body})}},
        .body = body};
    if (!token.empty()) request.headers.emplace_back("x-amz-security-token", token);
    return request;
}

json::object good_call() {
    return json::parse(R"({
        "FromEmailAddress": "News <news@example.org>", "ConfigurationSetName": "set",
        "DefaultContent": {"Template": {"TemplateContent": {
            "Subject": "Hi {{name}}", "Text": "Hello {{name}}", "Html": "<p>{{name}}</p>"},
            "TemplateData": "{}"}},
        "BulkEmailEntries": [
            {"Destination": {"ToAddresses": ["a@example.com"]},
             "ReplacementEmailContent": {"ReplacementTemplate": {
                "ReplacementTemplateData": "{\"name\":\"A {{name}}\"}"}},
             "ReplacementTags": [{"Name": "fanfare", "Value": "job-1_3_0_T_T"}],
             "ReplacementHeaders": [{"Name": "List-Unsubscribe", "Value": "<https://u/a>"}]},
            {"Destination": {"ToAddresses": ["b@example.com"]},
             "ReplacementEmailContent": {"ReplacementTemplate": {
                "ReplacementTemplateData": "{\"name\":\"B\"}"}}}]})")
        .as_object();
}

/// Sets what a JSON pointer names to a JSON text.
json::object with(const json::object& call, const std::string& pointer, const std::string& value) {
    json::value root = call;
    const auto slash = pointer.rfind('/');
    auto& parent = slash == 0 ? root : root.at_pointer(pointer.substr(0, slash));
    parent.as_object()[pointer.substr(slash + 1)] = json::parse(value);
    return root.as_object();
}

class SesTest : public testing::Test {
protected:
    const Checked& checked_for(const json::object& body) {
        request_ = signed_call(json::serialize(body));
        check(*ses_, request_, checked_);
        return checked_;
    }
    std::string error_of(OwnedRequest request) {
        check(*ses_, request, checked_);
        for (const auto& [name, value] : checked_.answer.headers) {
            if (name == "x-amzn-errortype") return value.substr(0, value.find(':'));
        }
        return "";
    }

    std::unique_ptr<SimulatedProvider> ses_ = make_ses({});
    OwnedRequest request_;
    Checked checked_;
};

TEST_F(SesTest, TakesABatch) {
    const auto& checked = checked_for(good_call());
    EXPECT_EQ(checked.answer.status, 200) << checked.answer.body;
    EXPECT_EQ(checked.kind, Checked::Kind::message);
    EXPECT_THAT(checked.recipients, ElementsAre("a@example.com", "b@example.com"));
    EXPECT_EQ(checked.reference, "job-1.3.0.T_T");
    EXPECT_FALSE(checked.leak);
    EXPECT_EQ(checked.unfilled, 0U);
    const auto results = json::parse(checked.answer.body).at("BulkEmailEntryResults").as_array();
    ASSERT_EQ(results.size(), 2U);
    EXPECT_EQ(results[0].at("Status"), "SUCCESS");
    EXPECT_NE(results[0].at("MessageId"), results[1].at("MessageId"));
}

TEST_F(SesTest, VerifiesTheSignature) {
    const auto body = json::serialize(good_call());
    EXPECT_EQ(error_of(signed_call(body, "TOKEN==")), "");
    auto request = signed_call(body);
    request.body.back() = ' ';
    EXPECT_EQ(error_of(request), "SignatureDoesNotMatch");
    request = signed_call(body);
    request.headers[0].second = "elsewhere";
    EXPECT_EQ(error_of(request), "SignatureDoesNotMatch");
    request = signed_call(body);
    request.headers.emplace_back("x-amz-security-token", "UNSIGNED");
    EXPECT_EQ(error_of(request), "SignatureDoesNotMatch");
    request = signed_call(body);
    request.headers.pop_back();
    EXPECT_EQ(error_of(request), "MissingAuthenticationToken");
    request = signed_call(body);
    request.headers[3].second = "Basic x";
    EXPECT_EQ(error_of(request), "IncompleteSignature");
    EXPECT_EQ(error_of(signed_call(body, "", test_now_s - 301)), "RequestExpired");
    EXPECT_EQ(error_of(signed_call(body, "", test_now_s + 301)), "RequestExpired");
    EXPECT_EQ(error_of(signed_call(body, "", test_now_s + 299)), "");
    ProviderOptions other;
    other.ses_secret_key = "other";
    ses_ = make_ses(other);
    EXPECT_EQ(error_of(signed_call(body)), "SignatureDoesNotMatch");
    other = {};
    other.ses_access_key = "other";
    ses_ = make_ses(other);
    EXPECT_EQ(error_of(signed_call(body)), "UnrecognizedClientException");
    other = {};
    other.ses_region = "eu-west-1";
    ses_ = make_ses(other);
    EXPECT_EQ(error_of(signed_call(body)), "SignatureDoesNotMatch");
}

TEST_F(SesTest, SeesThatPeopleSeeEachOther) {
    const auto* const two = R"(["a@example.com","c@example.com"])";
    const auto to = "/BulkEmailEntries/0/Destination/ToAddresses";
    EXPECT_TRUE(checked_for(with(good_call(), to, two)).leak);
    EXPECT_THAT(checked_.places, ElementsAre(0U, 0U, 1U));
}

TEST_F(SesTest, CountsPeopleWithoutAValueForASlot) {
    const std::string data =
        "/BulkEmailEntries/1/ReplacementEmailContent/ReplacementTemplate/ReplacementTemplateData";
    EXPECT_EQ(checked_for(with(good_call(), data, R"("{}")")).unfilled, 1U);
    EXPECT_EQ(checked_.answer.status, 200) << "SES does not report it";
}

TEST_F(SesTest, RefusesOnlyTheEntryThatIsBad) {
    const auto to = "/BulkEmailEntries/0/Destination/ToAddresses";
    EXPECT_THAT(checked_for(with(good_call(), to, R"(["x"])")).recipients,
                ElementsAre("b@example.com"));
    EXPECT_THAT(checked_.places, ElementsAre(1U));
    EXPECT_THAT(checked_.answer.body, HasSubstr("INVALID_PARAMETER"));
    EXPECT_THAT(checked_.answer.body, HasSubstr("SUCCESS"));
}

TEST_F(SesTest, TakesFiftyDestinations) {
    auto call = good_call();
    auto& entries = call["BulkEmailEntries"].as_array();
    const auto second = entries[1];
    while (entries.size() < 50) entries.push_back(second);
    EXPECT_EQ(checked_for(call).answer.status, 200) << checked_.answer.body;
    entries.push_back(second);
    EXPECT_EQ(checked_for(call).answer.status, 400);
}

struct BadCall {
    const char* why;
    std::string pointer, value;
    std::string type;
};
void PrintTo(const BadCall& bad, std::ostream* out) { *out << bad.why; }

class SesBadCallTest : public testing::TestWithParam<BadCall> {};

TEST_P(SesBadCallTest, IsRefused) {
    const auto& bad = GetParam();
    auto request = signed_call(json::serialize(with(good_call(), bad.pointer, bad.value)));
    Checked checked;
    check(*make_ses({}), request, checked);
    EXPECT_NE(checked.answer.status, 200);
    EXPECT_EQ(checked.kind, Checked::Kind::bad);
    ASSERT_FALSE(checked.answer.headers.empty());
    EXPECT_THAT(checked.answer.headers.back().second, testing::StartsWith(bad.type + ":"));
}

const std::string content = "/DefaultContent/Template/TemplateContent/";
const std::string first = "/BulkEmailEntries/0/";

INSTANTIATE_TEST_SUITE_P(
    All, SesBadCallTest,
    testing::Values(
        BadCall{"bad from", "/FromEmailAddress", "\"x\"", "BadRequestException"},
        BadCall{"bad set", "/ConfigurationSetName", "\"a b\"", "BadRequestException"},
        BadCall{"unknown field", "/Colour", "1", "SerializationException"},
        BadCall{"unknown field of an entry", first + "Colour", "1", "SerializationException"},
        BadCall{"no content", "/DefaultContent", "{}", "BadRequestException"},
        BadCall{"stored template", "/DefaultContent/Template", R"({"TemplateName":"x"})",
                "NotFoundException"},
        BadCall{"empty subject", content + "Subject", "\"\"", "BadRequestException"},
        BadCall{"subject of lines", content + "Subject", R"("a\nb")", "BadRequestException"},
        BadCall{"open slot", content + "Text", "\"{{name\"", "BadRequestException"},
        BadCall{"three braces", content + "Text", "\"{{{name}}}\"", "BadRequestException"},
        BadCall{"escaped slot", content + "Text", R"("\\{{name}}")", "BadRequestException"},
        BadCall{"helper", content + "Text", "\"{{#if x}}\"", "BadRequestException"},
        BadCall{"no entries", "/BulkEmailEntries", "[]", "BadRequestException"},
        BadCall{"bad tag", first + "ReplacementTags", R"([{"Name":"a","Value":"b.c"}])",
                "BadRequestException"},
        BadCall{"bad header", first + "ReplacementHeaders",
                R"([{"Name":"X","Value":"a\r\nBcc: b"}])", "BadRequestException"}));

TEST_F(SesTest, ShowsWhatOnePersonSees) {
    request_ = signed_call(json::serialize(good_call()));
    const auto message = ses_->render(request_.view(), "a@example.com");
    ASSERT_TRUE(message);
    EXPECT_EQ(message->at("subject"), "Hi A {{name}}") << "values are not looked at again";
    EXPECT_EQ(message->at("html"), "<p>A {{name}}</p>");
    EXPECT_EQ(message->at("headers").at("List-Unsubscribe"), "<https://u/a>");
    EXPECT_EQ(message->at("tags").at("fanfare"), "job-1_3_0_T_T");
    EXPECT_FALSE(ses_->render(request_.view(), "c@example.com"));
}

TEST_F(SesTest, TellsOfTheOthersWhereAnEntryWasRefused) {
    for (const auto* const refused : {"null", "1", "{}", R"({"ToAddresses":[1]})"}) {
        request_ = signed_call(json::serialize(with(good_call(), first + "Destination", refused)));
        check(*ses_, request_, checked_);
        ASSERT_EQ(checked_.answer.status, 200) << refused << checked_.answer.body;
        EXPECT_THAT(checked_.recipients, ElementsAre("b@example.com"));
        std::vector<Delivery> told;
        ses_->describe(request_.view(), {}, checked_.recipients, told);
        ASSERT_EQ(told.size(), 1U) << refused;
        EXPECT_EQ(told[0].address, "b@example.com");
    }
}

TEST_F(SesTest, ThrottlesWithA400) {
    Answer answer;
    ses_->refuse({.kind = Trouble::Kind::throttle, .recipient = {}, .code = {}}, answer);
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr("Maximum sending rate exceeded"));
}

}  // namespace
}  // namespace fanfare::sim
