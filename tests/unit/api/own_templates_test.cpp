// Owners' own templates: what they may speak of, and how mistakes are told.
#include "producer/api/own_templates.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace fanfare::api {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

const std::string dir = FANFARE_SOURCE_DIR "/templates";
const std::vector<std::string> columns{"recipient_id", "address", "opted_out", "name"};

class OwnTemplatesTest : public ::testing::Test {
protected:
    OwnTemplatesTest() {
        auto loaded = load_systems(FANFARE_SOURCE_DIR "/config/systems", [](const std::string&) {
            return std::string{"postgresql://x"};
        });
        systems = std::move(std::get<Systems>(loaded));
    }
    KnownVariables known(const std::string& system, const std::string& kind, Channel channel) {
        return known_variables(templates, *systems.at(system).find_kind(kind), channel, columns);
    }
    static int refused(const std::string& body) {
        const auto read = read_parts(Fields{body, {"parts"}});
        const auto* const reply = std::get_if<HttpReply>(&read);
        return reply == nullptr ? 200 : reply->status;
    }

    Systems systems;
    Templates templates = std::get<Templates>(Templates::load(dir));
};

TEST_F(OwnTemplatesTest, MaySpeakOfWhatTheShippedOnesSpeakOf) {
    const auto mail = known("events", "event.reminder", Channel::email);
    EXPECT_THAT(mail.shared, IsSupersetOf({"title", "username", "starts_in"}));
    EXPECT_THAT(mail.personal, IsSupersetOf({"name", "starts_at"}));
    EXPECT_THAT(mail.optional, IsSupersetOf({"link", "message", "brand", "unsubscribe_url"}));
    EXPECT_THAT(mail.personal, Not(Contains("recipient_id")));
    EXPECT_THAT(known("events", "event.reminder", Channel::sms).optional,
                IsSupersetOf({"link", "message"}))
        << "also what the texts of other channels speak of";
    EXPECT_THAT(known("shows", "generic", Channel::push).personal, Not(Contains("starts_at")));
}

TEST_F(OwnTemplatesTest, ShippedTextsMayBeSavedAsTheyAre) {
    std::map<std::string, OwnParts> shipped;
    const auto read = read_template_files(dir);
    for (const auto& source : std::get<std::vector<TemplateSource>>(read)) {
        const std::filesystem::path path{source.path};
        shipped[path.parent_path().string()][path.stem().string()] = source.text;
    }
    for (const auto& [name, system] : systems) {
        for (const auto& [kind_name, kind] : system.kinds) {
            Problems problems;
            const auto own =
                templates.with_own(kind.templates, shipped.at(kind.templates), "", problems);
            for (const auto channel : kind.channels) {
                const auto found =
                    own.review(kind.templates, channel, known(name, kind_name, channel));
                problems.insert(problems.end(), found.begin(), found.end());
            }
            EXPECT_TRUE(problems.empty())
                << name << " " << kind_name << ": " << describe(problems.front());
        }
    }
}

TEST_F(OwnTemplatesTest, TellsEveryMistakeWithItsPlace) {
    const auto reply = refusal_of_parts(
        {{"sms.de.text", 2, "template", "{{nmae}}", "one of the known variables: name", 7},
         {"email.text", 0, "part", "", "this one too"}});
    EXPECT_EQ(reply.status, 422);
    EXPECT_EQ(reply.content_type, "application/problem+json");
    const auto document = boost::json::parse(reply.body);
    EXPECT_EQ(document.at("code").as_string(), "invalid_template");
    EXPECT_EQ(document.at("errors"), boost::json::parse(R"([
        {"pointer": "/parts/sms.de.text", "line": 2, "column": 7,
         "detail": "{{nmae}}: expected one of the known variables: name"},
        {"pointer": "/parts/email.text", "detail": "missing: expected this one too"}])"));
    const Problems many(1'000, {"sms.text", 1, "template", "{{x}}", "none", 1});
    EXPECT_EQ(boost::json::parse(refusal_of_parts(many).body).at("errors").as_array().size(), 100U);
}

TEST_F(OwnTemplatesTest, AreTextsAndNotTooMany) {
    EXPECT_EQ(refused(R"({"parts": {"sms.text": "x"}})"), 200);
    for (const auto* const body :
         {"{}", R"({"parts": null})", R"({"parts": {}})", R"({"parts": []})", R"({"parts": "x"})",
          R"({"parts": {"sms.text": 1}})", R"({"parts": {"sms.text": null}})"}) {
        EXPECT_EQ(refused(body), 422) << body;
    }
    std::string many;
    for (std::size_t i = 0; i < own_parts_max; ++i) many += fmt::format(R"("p{}": "", )", i);
    EXPECT_EQ(refused("{\"parts\": {" + many.substr(0, many.size() - 2) + "}}"), 200);
    EXPECT_EQ(refused("{\"parts\": {" + many + R"("one more": ""}})"), 422);
    const std::string text(own_bytes_max, 'x');
    EXPECT_EQ(refused(fmt::format(R"({{"parts": {{"sms.text": "{}"}}}})", text)), 200);
    EXPECT_EQ(refused(fmt::format(R"({{"parts": {{"sms.text": "{}y"}}}})", text)), 422);
}

}  // namespace
}  // namespace fanfare::api
