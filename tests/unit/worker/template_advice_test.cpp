// Slips of the pen in templates, told before anybody is.
#include "core/orders/template_advice.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view shop = R"(
audiences:
  buyers: SELECT id AS recipient_id FROM buyers WHERE sale = :sale
contacts:
  email: SELECT id AS recipient_id, address, name FROM buyers WHERE id = ANY(:recipients)
kinds:
  due:
    audience: buyers
    channels: [email]
    templates: sale
    times: [starts_at]
    person_defaults: {greeting: Hello}
  ordered:
    audience: buyers
    channels: [email]
    templates: sale
    times: [starts_at]
    person_defaults: {greeting: Hello}
schedules:
  due: |
    SELECT id AS subject, at AS occurrence, at AS due_at, at AS expires_at,
           json_build_object('sale', id) AS params, json_build_object('title', title) AS data
      FROM sales WHERE at < :horizon
)";

class TemplateAdvice : public ::testing::Test {
protected:
    /// What is said of a kind's text: "line: {{found}}: expected".
    std::vector<std::string> said(const std::string& kind, const std::string& text,
                                  const std::string& german = "Hallo") {
        const auto system = std::get<System>(parse_system(
            "shop/system.yaml", definition_, [](const std::string&) { return std::nullopt; }));
        const std::vector<TemplateSource> sources{{"sale/email.subject.mustache", "Sale"},
                                                  {"sale/email.text.mustache", text},
                                                  {"sale/email.de.subject.mustache", "Sale"},
                                                  {"sale/email.de.text.mustache", german}};
        const auto templates = std::get<Templates>(Templates::parse(sources));
        std::vector<std::string> lines;
        for (const auto& each : template_advice(system, *system.find_kind(kind), templates)) {
            lines.push_back(fmt::format("{}: {}: {}", each.line, each.value, each.expected));
        }
        return lines;
    }
    void replace(std::string_view found, std::string_view by) {
        definition_.replace(definition_.find(found), found.size(), by);
    }

private:
    std::string definition_{shop};
};

TEST_F(TemplateAdvice, NamesWhatNothingGives) {
    const std::string good =
        "{{greeting}} {{name}}: {{title}} at {{starts_at}}, {{starts_in}} "
        "{{#unsubscribe_url}}{{unsubscribe_url}}{{/unsubscribe_url}}";
    EXPECT_THAT(said("due", good), IsEmpty());
    EXPECT_THAT(said("ordered", good), IsEmpty());
    EXPECT_THAT(said("due", "\n{{nmae}}"),
                ElementsAre("2: {{nmae}}: a variable that the kind due has; did you mean "
                            "{{name}}?"));
    EXPECT_THAT(said("due", "{{discount}}"),
                ElementsAre("1: {{discount}}: a variable that the kind due has"));
    EXPECT_THAT(said("due", "{{#discount}}{{discount}}{{/discount}}"), IsEmpty())
        << "for jobs that have it";
    EXPECT_THAT(said("due", "{{#titel}}x{{/titel}}"),
                ElementsAre("1: {{titel}}: a variable that the kind due has; did you mean "
                            "{{title}}?"));
}

TEST_F(TemplateAdvice, AQueryThatHidesItsColumnsMayGiveAny) {
    for (const std::string_view hidden : {"b.*", "to_json(b)", "to_jsonb(b)", "row_to_json(b)"}) {
        EXPECT_THAT(said("due", "{{discount}}"), ::testing::SizeIs(1));
        replace("address, name", hidden);
        EXPECT_THAT(said("due", "{{discount}}"), IsEmpty()) << hidden;
        replace(hidden, "address, name");
    }
}

TEST_F(TemplateAdvice, WhatJobsOfOthersMayHaveIsOnlyHeldAgainstOtherNames) {
    EXPECT_THAT(said("ordered", "{{discount}} {{price_1}} {{price_2}} {{friend}} {{friends}}"),
                IsEmpty());
    EXPECT_THAT(said("ordered", "{{nmae}}"),
                ElementsAre("1: {{nmae}}: a variable that the kind ordered has; did you mean "
                            "{{name}}?"));
    EXPECT_THAT(said("ordered", "{{discount}} {{discoumt}}", "{{discount}}"),
                ElementsAre("1: {{discoumt}}: a variable that the kind ordered has; did you mean "
                            "{{discount}}?"));
    EXPECT_THAT(said("ordered", "{{nam}}", "{{nam}}"), IsEmpty()) << "too short to tell";
}

TEST(ShippedTemplates, NobodyIsAdvisedOfAnything) {
    const auto systems =
        std::get<Systems>(load_systems(FANFARE_SOURCE_DIR "/config/systems", [](const auto&) {
            return std::optional<std::string>{"postgresql://x"};
        }));
    const auto templates = std::get<Templates>(Templates::load(FANFARE_SOURCE_DIR "/templates"));
    for (const auto& [name, system] : systems) {
        for (const auto& [kind_name, kind] : system.kinds) {
            for (const auto& each : template_advice(system, kind, templates)) {
                ADD_FAILURE() << describe(each);
            }
        }
    }
}

}  // namespace
}  // namespace fanfare
