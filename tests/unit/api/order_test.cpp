// Orders: what makes two of them the same, and what is refused.
#include "producer/api/order.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace fanfare::api {
namespace {

const std::string body = R"({"system": "shows", "kind": "generic", "channels": ["sms"],)"
                         R"("data": {"title": "a", "body": "b"}})";

class OrderTest : public ::testing::Test {
protected:
    OrderTest() {
        auto systems = load_systems(FANFARE_SOURCE_DIR "/config/systems", [](const std::string&) {
            return std::string{"postgresql://x"};
        });
        systems_ = std::move(std::get<Systems>(systems));
        caller_.client = caller_.owner = "shop";
    }
    std::variant<Order, HttpReply> read(const std::string& text, const std::string& key = "") {
        return read_order(text, key, caller_, {systems_, templates_});
    }
    Order order(const std::string& text, const std::string& key = "") {
        return std::get<Order>(read(text, key));
    }
    std::pair<int, std::string> refused(const std::string& text) {
        const auto result = read(text);
        const auto* const reply = std::get_if<HttpReply>(&result);
        if (reply == nullptr) return {200, ""};
        const auto document = boost::json::parse(reply->body);
        return {reply->status, std::string{document.at("code").as_string()}};
    }

    Systems systems_;
    Templates templates_ = std::get<Templates>(Templates::load(FANFARE_SOURCE_DIR "/templates"));
    Caller caller_;
};

TEST_F(OrderTest, OneKeyIsOneJob) {
    const auto first = order(body, "k");
    EXPECT_EQ(first.job.idempotency_key, "api/shop/k");
    EXPECT_EQ(first.job.source, "shop");
    EXPECT_EQ(order(body, "k").job.id, first.job.id);
    EXPECT_NE(order(body, "l").job.id, first.job.id);
    caller_.owner = "other";
    EXPECT_NE(order(body, "k").job.id, first.job.id) << "keys are the owner's own";
}

TEST_F(OrderTest, SpellingDoesNotMatterContentDoes) {
    const std::string respelt =
        R"({"kind":"generic","data":{"body":"b","title":"a"},"channels":["sms"],"system":"shows"})";
    EXPECT_EQ(order(body).digest, order(respelt).digest);
    EXPECT_EQ(order(body).job.id, order(respelt).job.id) << "a derived key";
    auto other = body;
    other.replace(other.find("\"b\""), 3, "\"c\"");
    EXPECT_NE(order(other).digest, order(body).digest);
    EXPECT_NE(order(other).job.id, order(body).job.id);
}

TEST_F(OrderTest, TheHeaderCountsBeforeTheBody) {
    const std::string keyed = R"({"idempotency_key": "mine", )" + body.substr(1);
    EXPECT_EQ(order(keyed).key, "mine");
    EXPECT_EQ(order(keyed, "header").key, "header");
    EXPECT_EQ(order(keyed).digest, order(body).digest) << "the key is no content";
}

TEST_F(OrderTest, RefusesWhatIsNotForTheCallerToSay) {
    using Answer = std::pair<int, std::string>;
    for (const auto* const field : {"version", "id", "source"}) {
        EXPECT_EQ(refused(std::string{"{\""} + field + "\": 1, " + body.substr(1)),
                  (Answer{422, "unknown_field"}));
    }
    EXPECT_EQ(refused("{}"), (Answer{422, "missing_field"}));
    EXPECT_EQ(refused("[]"), (Answer{422, "wrong_type"}));
    EXPECT_EQ(refused(""), (Answer{400, "not_json"}));
    EXPECT_EQ(refused(R"({"a":1,"a":1})"), (Answer{400, "duplicate_key"}));
    EXPECT_EQ(refused(std::string(Job::bytes_max + 1, ' ')), (Answer{413, "too_large"}));
    caller_.systems = {"elsewhere"};
    EXPECT_EQ(refused(body), (Answer{403, "system_denied"}));
}

TEST_F(OrderTest, RefusesChannelsWithoutTextsAlsoWhereAJobTurnsTo) {
    using Answer = std::pair<int, std::string>;
    const std::vector<TemplateSource> sources{{"generic/sms.text.mustache", "{{title}} {{body}}"}};
    templates_ = std::get<Templates>(Templates::parse(sources));
    EXPECT_EQ(refused(body), (Answer{200, ""}));
    auto by_mail = body;
    by_mail.replace(by_mail.find("sms"), 3, "email");
    EXPECT_EQ(refused(by_mail), (Answer{422, "unknown_template"}));
    auto& kind = systems_.at("shows").kinds.at("generic");
    kind.fallback[static_cast<std::size_t>(Channel::sms)] = Channel::push;
    EXPECT_EQ(refused(body), (Answer{422, "unknown_template"})) << "push has none either";
}

}  // namespace
}  // namespace fanfare::api
