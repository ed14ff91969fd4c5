// The port of metrics and health: a probe gets through, whatever others do there.
#include "core/observe/health.hpp"

#include "tests/support/raw_client.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <string>

namespace fanfare {
namespace {

using test::RawClient;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Told by the test, asked by the server's threads.
class ToldClock final : public Clock {
public:
    [[nodiscard]] TimePoint now() const noexcept override { return {}; }
    [[nodiscard]] SteadyTime steady_now() const noexcept override {
        return SteadyTime{} + std::chrono::seconds{seconds.load()};
    }
    std::atomic<int> seconds{0};
};

class HealthTest : public ::testing::Test {
protected:
    HealthTest() {
        ObserveSettings settings;
        HealthServer::Checks checks{
            .alive = [this] { return alive.load(); },
            .ready =
                [this] {
                    return ready ? Readiness{true, ""} : Readiness{false, "starting"};
                },
            .sides = {}};
        server = HealthServer::start(settings, system_clock(), registry, std::move(checks)).value();
    }

    std::string get(std::string_view path) {
        return RawClient{server->port()}.ask(
            fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", path));
    }

    std::atomic<bool> alive{true};
    std::atomic<bool> ready{true};
    std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
    std::unique_ptr<HealthServer> server;
};

TEST_F(HealthTest, SaysHowTheProgramIs) {
    prometheus::BuildCounter().Name("a_total").Register(*registry).Add({}).Increment();
    EXPECT_THAT(get("/metrics"), HasSubstr("\r\n\r\n# TYPE a_total"));
    EXPECT_THAT(get("/healthz"), HasSubstr("\r\n\r\nok\n"));
    EXPECT_THAT(get("/readyz"), HasSubstr("\r\n\r\nready\n"));
    alive = false;
    ready = false;
    EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(get("/readyz"), HasSubstr("\r\n\r\nstarting\n"));
    EXPECT_THAT(get("/metrics?name=a&name=b"), HasSubstr("\r\n\r\n# TYPE a_total"));
    EXPECT_THAT(get("/"), StartsWith("HTTP/1.1 404 "));
    RawClient client{server->port()};
    EXPECT_THAT(client.ask("POST /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
                StartsWith("HTTP/1.1 405 "));
    EXPECT_TRUE(client.is_closed());
}

TEST_F(HealthTest, IdleConnectionsKeepNobodyOut) {
    std::deque<RawClient> idle;
    for (int i = 0; i < 300; ++i) {
        idle.emplace_back(server->port());
        if (i % 3 == 0) idle.back().write("GET /healthz HTTP/1.1\r\nHo");
    }
    for (int i = 0; i < 10; ++i) EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HealthTest, NothingEndlessIsKept) {
    const std::string_view start = "GET /metrics HTTP/1.1\r\nHost: x\r\n";
    const std::string more(16 * 1024, 'x');
    RawClient field{server->port()};
    field.write(std::string{start} + "X: " + more);
    EXPECT_THAT(field.read(), StartsWith("HTTP/1.1 431 "));
    RawClient line{server->port()};
    line.write("GET /" + more);
    EXPECT_THAT(line.read(), StartsWith("HTTP/1.1 414 "));
    RawClient chunk{server->port()};
    EXPECT_THAT(chunk.ask(std::string{start} + "Transfer-Encoding: chunked\r\n\r\n1;" + more),
                StartsWith("HTTP/1.1 200 "))
        << "a body is never read";
    RawClient smuggled{server->port()};
    EXPECT_THAT(smuggled.ask(std::string{start} +
                             "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"),
                StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HealthTest, WhatIsAwayIsToldBesideWhatItLeadsTo) {
    ToldClock clock;
    std::string why{"a due query fails"};
    HealthServer::Checks checks{.alive = [] { return true; },
                                .ready =
                                    [&why] {
                                        return Readiness{why.empty(), why};
                                    },
                                .sides = {{"PostgreSQL", [] { return false; }}}};
    server = HealthServer::start({}, clock, registry, std::move(checks)).value();
    EXPECT_THAT(get("/readyz"), HasSubstr("\r\n\r\na due query fails\n"));
    clock.seconds = 30;
    EXPECT_THAT(get("/readyz"),
                HasSubstr("\r\n\r\na due query fails; PostgreSQL has not answered for 30 s\n"));
    server.reset();
}

TEST(AllTurn, IsSaidWhereNoLoopHasStoodStillForSoLong) {
    const SteadyTime begun{std::chrono::seconds{1'000}};
    const auto at = [&](int seconds) { return begun + std::chrono::seconds{seconds}; };
    const std::chrono::seconds most{30};
    EXPECT_TRUE(all_turn({begun, begun}, begun, most));
    EXPECT_TRUE(all_turn({begun, begun}, at(29), most)) << "a turn may take so long";
    EXPECT_FALSE(all_turn({begun, at(30)}, at(30), most)) << "the first hangs";
    EXPECT_FALSE(all_turn({at(30), begun}, at(30), most)) << "the second hangs";
    EXPECT_FALSE(all_turn({begun}, at(30), most)) << "the only one hangs";
    EXPECT_TRUE(all_turn({at(1), at(31)}, at(30), most)) << "one turned while it was asked";
}

}  // namespace
}  // namespace fanfare
