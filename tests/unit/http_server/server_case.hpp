#pragma once

#include "core/async/task_group.hpp"
#include "core/clock/timer.hpp"
#include "producer/http/server.hpp"
#include "tests/support/raw_client.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <atomic>
#include <stdexcept>

namespace fanfare::testing {

namespace asio = boost::asio;
using test::RawClient;

inline asio::awaitable<HttpReply> echo(const HttpCall& call) {
    HttpReply reply;
    reply.body = fmt::format("{} {} {} {}", call.method, call.param("name"), call.query, call.body);
    reply.headers.emplace_back("X-Seen", std::string{call.header("x-SENT")});
    co_return reply;
}
inline asio::awaitable<HttpReply> breaks(const HttpCall&) {
    throw std::runtime_error{"secret of the request"};
    co_return HttpReply{};
}

/// Who says "token: good" is served, whoever says "token: bad" is held.
inline asio::awaitable<std::variant<HttpHandler, HttpReply>> enter(const HttpCall& call) {
    if (call.header("token") == "good") co_return HttpHandler{echo};
    auto reply = problem(401, "unauthorized", "Who are you?");
    if (call.header("token") == "bad") reply.hold = std::chrono::hours{1};
    co_return reply;
}

inline asio::awaitable<std::variant<HttpHandler, HttpReply>> let_in() {
    co_return HttpHandler{echo};
}

class WebServerTest : public ::testing::Test {
protected:
    ~WebServerTest() override {
        go_on = true;
        server->stop();
    }

    asio::awaitable<HttpReply> wait(const HttpCall& call) {
        ++waiting;
        while (!go_on) co_await pause_for(std::chrono::milliseconds{1});
        co_return co_await echo(call);
    }
    double counted(const std::string& name, const std::string& label) {
        for (const auto& family : registry->Collect()) {
            if (family.name != name) continue;
            for (const auto& metric : family.metric) {
                if (metric.label[0].value == label) return metric.counter.value;
            }
        }
        return -1;
    }

    std::uint16_t start() {
        settings.port = 0;
        auto opened = WebServer::open(settings, system_clock(), registry);
        server = std::move(opened.value());
        Router router;
        router.add("POST", "/echo/{name}", echo);
        router.add("GET", "/echo/{name}", echo);
        router.add("GET", "/breaks", breaks);
        RouteOptions options;
        options.body_max = 10;
        options.content_types = {"application/json"};
        router.add("POST", "/strict", echo, options);
        RouteOptions guarded;
        guarded.body_max = 10;
        guarded.gate = enter;
        router.add("POST", "/guarded", {}, guarded);
        RouteOptions asked;
        asked.gate = [](const HttpCall&) { return let_in(); };
        asked.gate_knows = false;
        router.add("POST", "/asked", {}, asked);
        RouteOptions bodiless;
        bodiless.body_counts = false;
        router.add("POST", "/bodiless", echo, bodiless);
        router.add("GET", "/waits", [this](const HttpCall& call) { return wait(call); });
        server->start(std::move(router));
        return server->port();
    }

    std::atomic<int> waiting{0};
    std::atomic<bool> go_on{false};
    ServerSettings settings;
    std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
    std::unique_ptr<WebServer> server;
};

inline std::string posting(std::string_view path, std::string_view body,
                           std::string_view headers = "") {
    return fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n{}\r\n{}", path,
                       body.size(), headers, body);
}

inline const std::string get = "GET /echo/a HTTP/1.1\r\nHost: x\r\n\r\n";

inline void expect_problem(const std::string& answer, int status, const std::string& code) {
    EXPECT_THAT(answer, ::testing::StartsWith(fmt::format("HTTP/1.1 {} ", status)));
    EXPECT_THAT(answer, ::testing::HasSubstr("Content-Type: application/problem+json\r\n"));
    const auto body = boost::json::parse(answer.substr(answer.find("\r\n\r\n") + 4));
    EXPECT_EQ(body.at("status").as_int64(), status);
    EXPECT_EQ(body.at("type").as_string(), "about:blank");
    EXPECT_FALSE(body.at("title").as_string().empty());
    EXPECT_EQ(body.at("code").as_string(), code);
    EXPECT_FALSE(body.at("detail").as_string().empty());
}

}  // namespace fanfare::testing
