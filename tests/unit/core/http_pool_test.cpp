// Who is told not_sent when a connection comes to nothing, and for whom another is dialled.
#include "core/http/h1_connection.hpp"
#include "core/http/pool.hpp"
#include "tests/unit/core/http_case.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {
namespace {

using test::HttpServer;
using test::Line;

/// Stands until a test moves it.
class TestClock final : public Clock {
public:
    [[nodiscard]] TimePoint now() const noexcept override { return system_clock().now(); }
    [[nodiscard]] SteadyTime steady_now() const noexcept override { return at; }
    SteadyTime at = system_clock().steady_now();
};

/// Opens, answers and breaks when a test says so; one request at a time.
class FakeConnection final : public HttpConnection,
                             public std::enable_shared_from_this<FakeConnection> {
public:
    explicit FakeConnection(const Parts& parts)
        : parts_{parts}, begun_at_{parts.clock.steady_now()} {
        made.push_back(this);
    }
    void begin() override {}
    std::vector<OpenExchange*> close(std::string_view) override {
        closed_ = true;
        return {};
    }
    void pump() override {
        if (!has_room() || !parts_.owner.has_waiting()) return;
        if (stale) return lose("fake: idle for too long");
        exchange_ = parts_.owner.next(*this);
        served_ = true;
    }
    void check_time() override {}
    void abandon(OpenExchange&, std::string_view) override {}
    bool is_coming() const noexcept override { return !closed_ && !open; }
    bool is_useful() const noexcept override { return !closed_; }
    bool has_room() const override { return !closed_ && open && exchange_ == nullptr; }
    bool has_served() const noexcept override { return served_; }
    SteadyTime begun_at() const noexcept override { return begun_at_; }
    const std::string& fault() const noexcept override { return fault_; }

    void answer() {
        exchange_->answer.transport = Transport::answered;
        const std::array ended{std::exchange(exchange_, nullptr)};
        parts_.owner.moved(ended);
    }
    void lose(std::string fault) {
        const auto self = shared_from_this();
        closed_ = true;
        fault_ = std::move(fault);
        parts_.owner.gone(*this, {});
    }
    bool open = false;
    bool stale = false;
    static inline std::vector<FakeConnection*> made;

private:
    Parts parts_;
    SteadyTime begun_at_;
    OpenExchange* exchange_ = nullptr;
    bool served_ = false;
    bool closed_ = false;
    std::string fault_;
};

class HttpPoolTest : public ::testing::Test {
protected:
    void SetUp() override { FakeConnection::made.clear(); }
    void TearDown() override { pool->close(); }
    void add(int count = 1) {
        for (int i = 0; i < count; ++i) {
            pool->add(request, "/",
                      [this](const HttpAnswer& answer) { told.push_back(answer.transport); });
        }
        pool->turn();
    }
    static std::vector<FakeConnection*>& made() { return FakeConnection::made; }
    /// Of two connections that are dialled the first one serves both requests.
    void serve_two_by_one() {
        add(2);
        ASSERT_EQ(made().size(), 2U);
        made()[0]->open = true;
        pool->turn();
        made()[0]->answer();
        pool->turn();
        made()[0]->answer();
    }

    test::asio::io_context context{1};
    TestClock clock;
    HttpOptions options{.connections_max = 4, .streams_max = 1, .ca_file = {}};
    HttpRequest request;
    std::vector<Transport> told;
    std::shared_ptr<HttpPool> pool = std::make_shared<HttpPool>(
        HttpOrigin{.url = "http://x", .tls = false, .host = "x", .port = "80", .authority = "x"},
        HttpPool::Parts{
            .executor = context.get_executor(),
            .options = options,
            .clock = clock,
            .tls = [] { return nullptr; },
            .kick = [] {},
            .connect = [](const HttpConnection::Parts& parts) -> std::shared_ptr<HttpConnection> {
                return std::make_shared<FakeConnection>(parts);
            }});
};

TEST_F(HttpPoolTest, WhoWaitsIsToldWhenTheConnectionDialledForThemComesToNothing) {
    add(1);
    ASSERT_EQ(made().size(), 1U);
    clock.at += std::chrono::seconds{1};
    made()[0]->lose("refused");
    EXPECT_EQ(told, std::vector{Transport::not_sent});
    pool->turn();
    EXPECT_EQ(made().size(), 1U) << "nobody waits";
}

TEST_F(HttpPoolTest, WhoBeganAfterTheConnectionThatCameToNothingIsDialledForAnew) {
    ASSERT_NO_FATAL_FAILURE(serve_two_by_one());
    made()[0]->lose("the server ends it");
    ASSERT_EQ(told.size(), 2U);
    clock.at += std::chrono::seconds{30};
    add(1);  // The second still shakes hands, and nobody looked.
    made()[1]->lose("connecting took too long");
    EXPECT_EQ(told.size(), 2U) << "it was never tried";
    pool->turn();
    ASSERT_EQ(made().size(), 3U);
    made()[2]->open = true;
    pool->turn();
    made()[2]->answer();
    EXPECT_EQ(told, std::vector(3, Transport::answered));
}

TEST_F(HttpPoolTest, ABurstAfterAQuietTimeIsSentThoughOneConnectionNeverServed) {
    ASSERT_NO_FATAL_FAILURE(serve_two_by_one());
    made()[1]->open = true;
    clock.at += std::chrono::seconds{20};
    made()[0]->stale = made()[1]->stale = true;
    add(3);
    EXPECT_EQ(told.size(), 2U) << "they were never tried";
    EXPECT_GT(made().size(), 2U);
}

TEST_F(HttpPoolTest, AnAnswerStandsWhileItIsToldWhateverBeginsMeanwhile) {
    pool->add(request, "/", [this](const HttpAnswer& answer) {
        add(1);
        told.push_back(answer.transport);
    });
    pool->turn();
    ASSERT_EQ(made().size(), 1U);
    made()[0]->open = true;
    pool->turn();
    made()[0]->answer();
    EXPECT_EQ(told, std::vector{Transport::answered});
    pool->close();
    EXPECT_EQ(told.size(), 2U) << "who began meanwhile is told, and nobody twice";
}

/// Gives nothing to send, and notes the end.
class Idler final : public ConnectionOwner {
public:
    [[nodiscard]] bool has_waiting() const noexcept override { return false; }
    [[nodiscard]] OpenExchange* next(HttpConnection&) override { return nullptr; }
    void moved(std::span<OpenExchange* const>) override { opened = true; }
    void gone(HttpConnection&, std::span<OpenExchange* const>) override { ended = true; }
    bool opened = false;
    bool ended = false;
};

TEST(H1Connection, AnOpenOneThatNobodyNeededIsNoFaultOfTheServer) {
    HttpServer server{[](Line& line, int) { line.wait_for_close(); }};
    test::asio::io_context context{1};
    TestClock clock;
    const HttpOptions options{.ca_file = {}, .allow_http = true};
    const HttpOrigin origin{.url = server.url(""),
                            .tls = false,
                            .host = "127.0.0.1",
                            .port = std::to_string(server.port()),
                            .authority = "127.0.0.1"};
    Idler owner;
    const auto connection =
        std::make_shared<H1Connection>(HttpConnection::Parts{.executor = context.get_executor(),
                                                             .origin = origin,
                                                             .options = options,
                                                             .clock = clock,
                                                             .owner = owner,
                                                             .tls = nullptr});
    EXPECT_EQ(connection->begun_at(), clock.at);
    connection->begin();
    clock.at += std::chrono::seconds{2};
    EXPECT_FALSE(connection->has_served()) << "it is not open yet";
    while (!owner.opened && !owner.ended) context.run_one();
    ASSERT_FALSE(owner.ended) << connection->fault();
    EXPECT_FALSE(connection->has_served()) << "a server that ends each at once is not asked again";
    clock.at += std::chrono::seconds{1};
    EXPECT_TRUE(connection->has_served());
    std::ignore = connection->close("the test ends");
    context.run();
}

}  // namespace
}  // namespace fanfare
