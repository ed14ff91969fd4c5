// Every route of the API asks who calls before it does anything.
#include "producer/api/api_server.hpp"
#include "tests/support/coroutines.hpp"

#include <gtest/gtest.h>

namespace fanfare::api {
namespace {

const std::string token = "shop-token-0123456789abcdef01234567";

class RoutesTest : public ::testing::Test {
protected:
    RoutesTest() {
        settings.templates_dir = FANFARE_SOURCE_DIR "/templates";
        ClientSettings client;
        client.name = "shop";
        client.token = Secret{token};
        client.per_second = 1'000'000;
        settings.producer.clients = {client};
        auto opened = ApiServer::open(
            settings, systems, clock, registry,
            [](std::string, std::string, std::string) -> boost::asio::awaitable<Result<void>> {
                co_return Result<void>{};
            },
            [] {});
        server = std::move(opened.value());
        server->add_routes(router);
    }

    int status(const Route& route, const std::string& authorization) {
        HttpCall call;
        call.method = route.method;
        call.path = route.pattern;
        call.peer = "192.0.2.1";
        if (!authorization.empty()) call.headers.emplace_back("Authorization", authorization);
        const auto opened = test::run(context, route.options.gate(call));
        const auto* const reply = std::get_if<HttpReply>(&opened);
        return reply == nullptr ? 200 : reply->status;
    }

    Settings settings;
    Systems systems;
    ManualClock clock{TimePoint{std::chrono::seconds{1}}};
    prometheus::Registry registry;
    std::unique_ptr<ApiServer> server;
    Router router;
    boost::asio::io_context context{1};
};

TEST_F(RoutesTest, NoneIsServedWithAWrongToken) {
    std::size_t guarded = 0;
    for (const auto& route : router.routes()) {
        if (route->pattern == "/openapi.yaml") continue;
        ASSERT_TRUE(route->options.gate) << route->method << ' ' << route->pattern;
        EXPECT_TRUE(route->options.gate_knows) << route->pattern;
        EXPECT_FALSE(route->handler) << "only the gate says who serves " << route->pattern;
        ++guarded;
        for (const std::string& wrong : {std::string{}, "Bearer " + token + "x", "Basic " + token,
                                         "Bearer " + token.substr(1)}) {
            EXPECT_EQ(status(*route, wrong), 401) << route->method << ' ' << route->pattern;
        }
        EXPECT_EQ(status(*route, "Bearer " + token), 403) << "a client without any scope";
    }
    EXPECT_GE(guarded, 28U);
}

}  // namespace
}  // namespace fanfare::api
