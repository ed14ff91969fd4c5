// What can be told to nobody is refused before it is taken.
#include "core/orders/order_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view shop = R"(
audiences:
  buyers: SELECT id AS recipient_id FROM buyers WHERE sale = :sale
contacts:
  email: SELECT id AS recipient_id, address, name FROM buyers WHERE id = ANY(:recipients)
  sms: SELECT id AS recipient_id, phone AS address, name FROM buyers WHERE id = ANY(:recipients)
kinds:
  sale:
    audience: buyers
    channels: [email]
    times: [starts_at, ends_at]
    person_defaults: {greeting: Hello}
  gone:
    audience: buyers
    channels: [email]
    fallback: {email: sms}
    templates: sale
)";

class OrderRules : public ::testing::Test {
protected:
    OrderRules() {
        systems_.emplace("shop", std::get<System>(parse_system(
                                     "systems/shop/system.yaml", shop,
                                     [](const std::string&) { return std::nullopt; })));
        write("{{greeting}} {{name}}: {{title}} at {{starts_at}}, in {{starts_in}}");
        job_.system = "shop";
        job_.kind = "sale";
        job_.params = {{"sale", "s1"}};
        job_.data = {{"title", "Shoes"}, {"starts_at", "2026-11-20T19:30:00Z"}};
    }
    void write(const std::string& text) {
        const std::vector<TemplateSource> sources{{"sale/email.subject.mustache", "Sale"},
                                                  {"sale/email.text.mustache", text}};
        templates_ = std::get<Templates>(Templates::parse(sources, "/etc/fanfare/templates"));
    }
    std::string settled() {
        const auto rejection = settle_order(job_, systems_, templates_);
        return rejection ? rejection->code + " " + rejection->message : "";
    }
    std::string written(std::vector<std::string> columns = {"name"}) {
        const auto& system = systems_.at("shop");
        const auto& kind = *system.find_kind(job_.kind);
        const auto moments = find_moments(kind.times, job_.data);
        const auto personal =
            personal_names(kind, Channel::email, std::move(columns), moments, false);
        const Telling telling{job_, system, kind, templates_, false, TimePoint{}};
        const auto rejection = check_texts(telling, Channel::email, personal);
        return rejection ? rejection->code + " " + rejection->message : "";
    }

    Systems systems_;
    Templates templates_;
    Job job_;
};

TEST_F(OrderRules, TakesWhatCanBeTold) {
    EXPECT_EQ(settled(), "");
    EXPECT_EQ(written(), "");
    EXPECT_THAT(job_.channels, ElementsAre(Channel::email)) << "the kind's";
}

TEST_F(OrderRules, AMomentIsAMoment) {
    for (const auto* const none :
         {"next friday", "when", "2026-11-20", "2026-02-30T00:00:00Z", "1795203000", "true"}) {
        for (const auto* const name : {"starts_at", "ends_at"}) {
            auto& value = job_.data[name];
            const auto before = std::exchange(value, none);
            EXPECT_THAT(settled(), HasSubstr(std::string{"invalid_timestamp /data/"} + name))
                << none;
            value = before;
        }
    }
    for (const auto* const moment : {"2026-11-20t19:30z", "2026-11-20 19:30:00+00", ""}) {
        job_.data["ends_at"] = moment;
        EXPECT_EQ(settled(), "") << moment;
    }
    job_.data["said"] = "next friday";
    EXPECT_EQ(settled(), "") << "no moment of the kind";
}

TEST_F(OrderRules, EveryChannelThatItMayUseHasTexts) {
    job_.kind = "gone";
    EXPECT_THAT(settled(), HasSubstr("unknown_template /channels: the kind gone has no sms"));
    job_.kind = "sale";
    job_.channels = {Channel::sms};
    EXPECT_THAT(settled(), HasSubstr("unknown_template"));
}

TEST_F(OrderRules, EveryVariableOfATextIsSomewhere) {
    job_.data.erase("title");
    EXPECT_EQ(written(),
              "missing_variable /data/title: is missing: sale/email.text.mustache:1 writes it; "
              "expected a variable of the job's data, or one of the person's: greeting, name, "
              "starts_at");
    job_.data["title"] = "Shoes";
    EXPECT_THAT(written({}), HasSubstr("missing_variable /data/name")) << "no column of it";
    job_.data["name"] = "everybody";
    EXPECT_EQ(written({}), "");
    job_.data.erase("starts_at");
    EXPECT_THAT(written(), HasSubstr("missing_variable /data/starts_at"));
    write("{{#nmae}}{{nmae}}{{/nmae}}{{title}}");
    EXPECT_EQ(written(), "") << "a section asks whether it is there";
}

TEST_F(OrderRules, ATextCanBeWritten) {
    job_.data["title"] = std::string(part_bytes_max, 'x');
    EXPECT_THAT(written(), HasSubstr("unrenderable the message: cannot be written"));
    EXPECT_THAT(written(), ::testing::Not(HasSubstr("/etc/fanfare")));
    job_.data["title"] = "Shoes";
    write("{{#name}}{{name}}{{/name}}");
    EXPECT_THAT(written(), HasSubstr("unrenderable")) << "what differs by person opens no section";
}

}  // namespace
}  // namespace fanfare
