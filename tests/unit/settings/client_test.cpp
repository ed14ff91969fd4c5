// Clients of the HTTP API: what must be there, and that no token is shown.
#include "support.hpp"

#include <gmock/gmock.h>

namespace fanfare {
namespace {

using testing::ledger_environment;
using testing::problems_of;

const std::string token = "0123456789abcdef0123456789abcdef";

std::variant<Settings, Problems> read(const std::string& list) {
    return parse_settings("conf/fanfare.yaml", "producer:\n  clients: " + list,
                          ledger_environment({{"TOKEN", token}, {"SHORT", "too-short"}}));
}

std::vector<std::string> keys_of(const std::string& list) {
    std::vector<std::string> keys;
    for (const auto& problem : problems_of(read(list))) {
        keys.push_back(problem.key);
        EXPECT_EQ(describe(problem).find(token), std::string::npos);
        EXPECT_EQ(describe(problem).find("too-short"), std::string::npos);
    }
    return keys;
}

TEST(Clients, AreReadWhole) {
    const auto settings = std::get<Settings>(
        read("[{name: shop, token: {env: TOKEN}, scopes: [publish, export], systems: [shows], "
             "owner: acme, per_second: 7}]"));
    ASSERT_EQ(settings.producer.clients.size(), 1U);
    const auto& client = settings.producer.clients[0];
    EXPECT_EQ(client.name, "shop");
    EXPECT_EQ(client.token.reveal(), token);
    EXPECT_THAT(client.scopes, ::testing::ElementsAre(Scope::publish, Scope::export_));
    EXPECT_THAT(client.systems, ::testing::ElementsAre("shows"));
    EXPECT_EQ(client.owner, "acme");
    EXPECT_EQ(client.per_second, 7U);
}

TEST(Clients, AreRefusedWhereSomethingIsWrong) {
    using ::testing::ElementsAre;
    const std::string rest = ", token: {env: TOKEN}, scopes: [read]";
    EXPECT_THAT(keys_of("[{name: a}]"),
                ElementsAre("producer.clients[0].token", "producer.clients[0].scopes"));
    EXPECT_THAT(keys_of("[{name: a, token: {env: SHORT}, scopes: [read]}]"),
                ElementsAre("producer.clients[0].token"));
    EXPECT_THAT(keys_of("[{name: a, token: " + token + ", scopes: [read]}]"),
                ElementsAre("producer.clients[0].token"));
    EXPECT_THAT(keys_of("[{name: a, token: {env: TOKEN}, scopes: [write]}]"),
                ElementsAre("producer.clients[0].scopes[0]"));
    for (const auto* const bad : {"0", "100001"}) {
        EXPECT_THAT(keys_of("[{name: a" + rest + ", per_second: " + bad + "}]"),
                    ElementsAre("producer.clients[0].per_second"));
    }
    EXPECT_THAT(keys_of("[{name: scheduler" + rest + "}]"),
                ElementsAre("producer.clients[0].name"));
    EXPECT_THAT(keys_of("[{name: a" + rest + "}, {name: a" + rest + "}]"),
                ElementsAre("producer.clients[1].name", "producer.clients[1].token"));
}

}  // namespace
}  // namespace fanfare
