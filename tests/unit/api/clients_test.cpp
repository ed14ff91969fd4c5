// Who may call: tokens, scopes, rates, and what each client sees.
#include "producer/api/clients.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <sstream>

namespace fanfare::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string shop_token = "shop-token-0123456789abcdef01234567";
const std::string admin_token = "admin-token-0123456789abcdef0123456";
const std::string tenant_token = "tenant-token-0123456789abcdef012345";

ClientSettings client(const std::string& name, const std::string& token,
                      std::vector<Scope> scopes) {
    ClientSettings settings;
    settings.name = name;
    settings.token = Secret{token};
    settings.scopes = std::move(scopes);
    settings.per_second = 3;
    return settings;
}

class ClientsTest : public ::testing::Test {
protected:
    ClientsTest() {
        auto shop = client("shop", shop_token, {Scope::read});
        shop.systems = {"shows"};
        auto tenant = client("tenant", tenant_token, {Scope::read});
        tenant.owner = "tenant-a";
        clients_ = std::make_unique<Clients>(
            std::vector{shop, client("root", admin_token, {Scope::admin}), tenant}, clock_,
            registry_);
    }

    std::variant<Caller, HttpReply> admit(const std::string& authorization, Scope scope,
                                          const std::string& owner = "",
                                          const std::string& peer = "192.0.2.1") {
        HttpCall call;
        call.peer = peer;
        if (!authorization.empty()) call.headers.emplace_back("Authorization", authorization);
        if (!owner.empty()) call.headers.emplace_back("Fanfare-Owner", owner);
        return clients_->admit(call, scope);
    }
    Caller caller(const std::string& token, const std::string& owner = "") {
        return std::get<Caller>(admit("Bearer " + token, Scope::read, owner));
    }
    int status(const std::string& authorization, Scope scope, const std::string& owner = "") {
        const auto admitted = admit(authorization, scope, owner);
        const auto* const reply = std::get_if<HttpReply>(&admitted);
        return reply == nullptr ? 200 : reply->status;
    }

    /// How long the refusal of a wrong token is held.
    std::chrono::milliseconds held(const std::string& peer) {
        const auto admitted = admit("Bearer " + shop_token + "x", Scope::read, "", peer);
        return std::get<HttpReply>(admitted).hold;
    }

    ManualClock clock_{TimePoint{std::chrono::seconds{1}}};
    prometheus::Registry registry_;
    std::unique_ptr<Clients> clients_;
};

TEST_F(ClientsTest, KnowsTokensWholeAndNothingElse) {
    EXPECT_EQ(status("Bearer " + shop_token, Scope::read), 200);
    EXPECT_EQ(status("bearer  " + shop_token + " ", Scope::read), 200);
    for (const std::string& wrong :
         {std::string{}, std::string{"Bearer"}, std::string{"Bearer "}, "Basic " + shop_token,
          shop_token, "Bearer " + shop_token + "x",
          "Bearer " + shop_token.substr(0, shop_token.size() - 1)}) {
        EXPECT_EQ(status(wrong, Scope::read), 401) << wrong;
    }
}

TEST_F(ClientsTest, AnEmptyHeaderIsNotNone) {
    for (const std::string empty : {"", " ", "\t"}) {
        HttpCall call;
        call.headers = {{"Authorization", "Bearer " + admin_token}, {"Fanfare-Owner", empty}};
        const auto admitted = clients_->admit(call, Scope::read);
        const auto* const refused = std::get_if<HttpReply>(&admitted);
        ASSERT_NE(refused, nullptr) << "it would act for everybody";
        EXPECT_EQ(refused->status, 400);
        call.headers = {{"idempotency-key", empty}};
        EXPECT_TRUE(std::holds_alternative<HttpReply>(read_idempotency_key(call)))
            << "sent again it would be another job";
    }
    EXPECT_EQ(std::get<std::string>(read_idempotency_key({})), "");
}

TEST_F(ClientsTest, SlowsWhoGuessesAndNobodyElse) {
    for (int i = 0; i < 10; ++i) EXPECT_EQ(held("192.0.2.1").count(), 0);
    EXPECT_EQ(held("192.0.2.1"), std::chrono::seconds{1});
    EXPECT_EQ(held("192.0.2.2").count(), 0);
    EXPECT_EQ(status("Bearer " + shop_token, Scope::read), 200) << "of the same peer";
    clock_.advance(std::chrono::seconds{1});
    EXPECT_EQ(held("192.0.2.1").count(), 0);
    EXPECT_EQ(held("192.0.2.1"), std::chrono::seconds{1});
    const auto counted = registry_.Collect();
    ASSERT_EQ(counted.size(), 1U);
    EXPECT_EQ(counted[0].name, "fanfare_api_wrong_tokens_total");
    EXPECT_EQ(counted[0].metric[0].counter.value, 14);
}

TEST_F(ClientsTest, LogsGuessesOnceAMinuteAndNeverTheToken) {
    std::ostringstream log;
    const auto before = spdlog::default_logger();
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_st>(log)));
    for (int i = 0; i < 20; ++i) held("192.0.2.1");
    clock_.advance(std::chrono::minutes{1});
    held("192.0.2.2");
    spdlog::set_default_logger(before);
    const auto text = log.str();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
    EXPECT_THAT(text, HasSubstr("a wrong token, from 192.0.2.1\n"));
    EXPECT_THAT(text, HasSubstr("a wrong token, from 192.0.2.2 (20 since this was last told)"));
    EXPECT_THAT(text, Not(HasSubstr("shop-token")));
}

TEST_F(ClientsTest, AsksForTheScopeAndAdminHasAll) {
    EXPECT_EQ(status("Bearer " + shop_token, Scope::publish), 403);
    EXPECT_EQ(status("Bearer " + admin_token, Scope::publish), 200);
    EXPECT_EQ(status("Bearer " + admin_token, Scope::export_), 200);
}

TEST_F(ClientsTest, LimitsEachClientAlone) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(status("Bearer " + shop_token, Scope::read), 200);
    EXPECT_EQ(status("Bearer " + shop_token, Scope::read), 429);
    EXPECT_EQ(status("Bearer " + admin_token, Scope::read), 200);
    clock_.advance(std::chrono::milliseconds{334});
    EXPECT_EQ(status("Bearer " + shop_token, Scope::read), 200);
    EXPECT_EQ(status("Bearer " + shop_token, Scope::read), 429);
}

TEST_F(ClientsTest, ShowsAClientItsOwnAndTheSchedulers) {
    const auto shop = caller(shop_token);
    EXPECT_EQ(shop.owner, "shop");
    EXPECT_EQ(shop.access.systems, R"({"shows"})");
    EXPECT_EQ(shop.access.sources, R"({"shop","scheduler"})");
    EXPECT_TRUE(shop.may("shows"));
    EXPECT_FALSE(shop.may("other"));
}

TEST_F(ClientsTest, ShowsAClientWithAnOwnerTheOwnersOnly) {
    const auto tenant = caller(tenant_token);
    EXPECT_EQ(tenant.owner, "tenant-a");
    EXPECT_EQ(tenant.access.sources, R"({"tenant-a"})");
    EXPECT_EQ(tenant.access.systems, "");
    EXPECT_TRUE(tenant.may("any"));
}

TEST_F(ClientsTest, LetsAdminAloneActForOthers) {
    EXPECT_EQ(caller(admin_token).access.sources, "");
    const auto acting = caller(admin_token, "tenant-a");
    EXPECT_EQ(acting.owner, "tenant-a");
    EXPECT_EQ(acting.access.sources, R"({"tenant-a"})");
    EXPECT_EQ(status("Bearer " + shop_token, Scope::read, "tenant-a"), 403);
    EXPECT_EQ(status("Bearer " + tenant_token, Scope::read, "tenant-a"), 200);
    EXPECT_EQ(status("Bearer " + admin_token, Scope::read, std::string(61, 'x')), 400);
    clock_.advance(std::chrono::seconds{1});
    EXPECT_EQ(status("Bearer " + admin_token, Scope::read, "a\x01"), 400);
}

}  // namespace
}  // namespace fanfare::api
