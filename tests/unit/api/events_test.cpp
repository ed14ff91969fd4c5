// CloudEvents over HTTP: what they order, and what is refused.
#include "producer/api/events.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace fanfare::api {
namespace {

const std::string data = R"({"system": "shows", "kind": "generic", "channels": ["sms"],)"
                         R"("data": {"title": "a", "body": "b"}})";

class EventOrderTest : public ::testing::Test {
protected:
    using Headers = std::vector<std::pair<std::string, std::string>>;
    EventOrderTest() {
        auto systems = load_systems(FANFARE_SOURCE_DIR "/config/systems", [](const std::string&) {
            return std::string{"postgresql://x"};
        });
        systems_ = std::move(std::get<Systems>(systems));
        caller_.client = caller_.owner = "shop";
    }
    std::variant<Order, HttpReply> read(const Headers& headers, const std::string& body) {
        HttpCall call;
        call.method = "POST";
        call.headers = headers;
        call.body = body;
        return read_event_order(call, caller_, {systems_, templates_});
    }
    Order order(const Headers& headers, const std::string& body) {
        auto result = read(headers, body);
        if (const auto* const reply = std::get_if<HttpReply>(&result)) {
            ADD_FAILURE() << reply->body;
            return {};
        }
        return std::get<Order>(std::move(result));
    }
    std::pair<int, std::string> refused(const Headers& headers, const std::string& body) {
        const auto result = read(headers, body);
        const auto* const reply = std::get_if<HttpReply>(&result);
        if (reply == nullptr) return {200, ""};
        const auto document = boost::json::parse(reply->body);
        return {reply->status, std::string{document.at("code").as_string()}};
    }
    static Headers binary(const std::string& source, const std::string& id) {
        return {{"Content-Type", "application/json"},
                {"Ce-Specversion", "1.0"},
                {"Ce-Type", "fanfare.job.v1"},
                {"Ce-Source", source},
                {"Ce-Id", id}};
    }
    static std::string structured(const std::string& source, const std::string& id,
                                  const std::string& job = data) {
        return R"({"specversion": "1.0", "type": "fanfare.job.v1", "source": ")" + source +
               R"(", "id": ")" + id + R"(", "data": )" + job + "}";
    }

    const Headers json_{{"Content-Type", "application/cloudevents+json; charset=utf-8"}};
    Systems systems_;
    Templates templates_ = std::get<Templates>(Templates::load(FANFARE_SOURCE_DIR "/templates"));
    Caller caller_;
};

TEST_F(EventOrderTest, TheTraceIsThatOfTheCallElseOfTheEventAndNoPartOfTheOrder) {
    const std::string call = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const std::string event = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    const auto without = order(binary("/shop", "e-1"), data);
    EXPECT_EQ(without.trace, "");
    auto headers = binary("/shop", "e-1");
    headers.emplace_back("ce-traceparent", event);
    const auto of_the_event = order(headers, data);
    EXPECT_EQ(of_the_event.trace, event);
    headers.emplace_back("TraceParent", call);
    headers.emplace_back("tracestate", "a=1");
    headers.emplace_back("tracestate", "b=2");
    const auto of_the_call = order(headers, data);
    EXPECT_EQ(of_the_call.trace, call + " a=1,b=2");
    for (const auto* const made : {&of_the_event, &of_the_call}) {
        EXPECT_EQ(made->job, without.job);
        EXPECT_EQ(made->digest, without.digest);
        EXPECT_EQ(made->key, without.key);
    }
    headers.emplace_back("traceparent", call);
    EXPECT_EQ(order(headers, data).trace, event) << "two are none";
}

TEST_F(EventOrderTest, SourceAndIdAreTheKeyHoweverItIsSent) {
    const auto one = order(json_, structured("/shop", "e-1"));
    EXPECT_EQ(one.key, "/shop e-1");
    EXPECT_EQ(one.job.idempotency_key, "api/shop//shop e-1");
    EXPECT_EQ(one.job.source, "shop");
    const auto other = order(binary("/shop", "e-1"), data);
    EXPECT_EQ(other.job, one.job);
    EXPECT_EQ(other.digest, one.digest);
    EXPECT_NE(order(binary("/shop", "e-2"), data).job.id, one.job.id);
    EXPECT_NE(order(binary("/till", "e-1"), data).job.id, one.job.id);
    const std::string keyed = R"({"idempotency_key": "mine", )" + data.substr(1);
    EXPECT_EQ(order(binary("/shop", "e-1"), keyed).key, "mine");
    auto headers = binary("/shop", "e-1");
    headers.emplace_back("Idempotency-Key", "header");
    EXPECT_EQ(order(headers, keyed).key, "header");
    caller_.owner = "other";
    EXPECT_NE(order(binary("/shop", "e-1"), data).job.id, one.job.id) << "keys are the owner's own";
}

TEST_F(EventOrderTest, HeadersAreDecoded) {
    const auto one = order(json_, structured("/caf\u00e9", "50%"));
    EXPECT_EQ(order(binary("/caf%C3%A9", "50%25"), data).job, one.job);
    EXPECT_EQ(order(binary("\"/caf%C3%A9\"", "\"5\\0%25\""), data).job, one.job);
    using Answer = std::pair<int, std::string>;
    EXPECT_EQ(refused(binary("/shop", "50%"), data), (Answer{422, "invalid_event"}));
    EXPECT_EQ(refused(binary("/shop", "%00"), data), (Answer{422, "invalid_event"}));
    for (const auto* const bytes : {"\xe9", "caf\xe9", "%FF", "%E9", "\xc3", "%C3%28", "%ED%A0%80",
                                    "%C0%AF", "\"\xff\"", "\xf8\x88\x80\x80\x80"}) {
        EXPECT_EQ(refused(binary("/shop", bytes), data), (Answer{422, "invalid_event"})) << bytes;
        EXPECT_EQ(refused(binary(bytes, "e"), data), (Answer{422, "invalid_event"})) << bytes;
        auto headers = binary("/shop", "e");
        headers.emplace_back("ce-extension", bytes);
        EXPECT_EQ(refused(headers, data), (Answer{422, "invalid_event"})) << bytes;
    }
    EXPECT_EQ(order(binary("/caf\u00e9", "e"), data).key, "/caf\u00e9 e") << "UTF-8 as it is";
}

TEST_F(EventOrderTest, LongOnesAreStillKeys) {
    const std::string id(500, 'x');
    const auto one = order(binary("/shop", id), data);
    EXPECT_LE(one.key.size(), key_bytes_max);
    EXPECT_NE(order(binary("/shop", id + "y"), data).key, one.key);
    const std::string middling(key_bytes_max, 'x');
    EXPECT_LE(order(binary("/shop", middling), data).key.size(), key_bytes_max);
}

TEST_F(EventOrderTest, RefusesWhatOrdersNothing) {
    using Answer = std::pair<int, std::string>;
    EXPECT_EQ(refused({{"Content-Type", "application/cloudevents-batch+json"}}, "[]"),
              (Answer{415, "no_batches"}));
    EXPECT_EQ(refused({{"Content-Type", "application/json"}}, data),
              (Answer{422, "invalid_event"}));
    EXPECT_EQ(refused(json_, data), (Answer{422, "invalid_event"}));
    EXPECT_EQ(refused(json_, "{"), (Answer{400, "not_json"}));
    EXPECT_EQ(refused(json_, structured("/shop", "e", "[]")), (Answer{422, "wrong_type"}));
    EXPECT_EQ(refused(binary("/shop", ""), data), (Answer{422, "invalid_event"}));
    EXPECT_EQ(refused(binary("/shop", "e"), ""), (Answer{400, "not_json"}));
    auto headers = binary("/shop", "e");
    headers[2].second = "order.paid";
    EXPECT_EQ(refused(headers, data), (Answer{422, "unknown_event_type"}));
    // The data is held to what a plain job is.
    const std::string named = R"({"source": "x", )" + data.substr(1);
    EXPECT_EQ(refused(binary("/shop", "e"), named), (Answer{422, "unknown_field"}));
    caller_.systems = {"elsewhere"};
    EXPECT_EQ(refused(binary("/shop", "e"), data), (Answer{403, "system_denied"}));
}

}  // namespace
}  // namespace fanfare::api
