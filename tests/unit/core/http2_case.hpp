#pragma once

#include "core/http/h2_client.hpp"
#include "tests/support/h2_line.hpp"
#include "tests/unit/core/http_case.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::test {

/// A server of HTTP/2 behind TLS: each connection runs the script after the handshakes, and every
/// whole request that it reads is noted.
class H2Server {
public:
    using Script = std::function<void(H2Line& line, int connection)>;

    explicit H2Server(Script script, H2Line::Settings settings = {},
                      const std::string& name = "IP:127.0.0.1")
        : certificate{make_certificate(name)},
          server{
              [run = std::move(script), settings = std::move(settings)](Line& raw, int connection) {
                  H2Line line{raw};
                  if (line.shake_hands(settings)) run(line, connection);
              },
              certificate.certificate, certificate.key, "h2"} {}

    Certificate certificate;
    HttpServer server;
};

/// The machine's clock, as far ahead as a test says.
class SkippingClock final : public Clock {
public:
    [[nodiscard]] TimePoint now() const noexcept override { return system_clock().now(); }
    [[nodiscard]] SteadyTime steady_now() const noexcept override {
        return system_clock().steady_now() + ahead;
    }
    std::chrono::milliseconds ahead{0};
};

/// A client that speaks HTTP/2, and servers on loopback that do as they are told.
class Http2Case : public ::testing::Test {
protected:
    void TearDown() override {
        client.reset();
        std::filesystem::remove(ca_file());
    }
    [[nodiscard]] static std::filesystem::path ca_file() {
        return std::filesystem::temp_directory_path() /
               ("fanfare-http2-test-" + std::to_string(::getpid()) + ".pem");
    }
    void trust(const H2Server& server) {
        options.ca_file = ca_file();
        std::ofstream{options.ca_file} << server.certificate.certificate;
    }
    [[nodiscard]] virtual std::unique_ptr<HttpClient> make_client() {
        return make_h2_client(context.get_executor(), options, clock);
    }
    HttpClient& http() {
        if (!client) client = make_client();
        return *client;
    }
    HttpAnswer send(const HttpRequest& request) { return run(context, http().send(request)); }
    [[nodiscard]] static HttpRequest request_to(const H2Server& server, std::string body = "hello",
                                                const std::string& path = "/send") {
        return {.url = server.server.url(path),
                .headers = {"Content-Type: text/plain"},
                .body = std::move(body),
                .http2 = true};
    }
    HttpAnswer send(const H2Server& server, std::string body = "hello") {
        if (options.ca_file.empty()) trust(server);
        const auto request = request_to(server, std::move(body));
        return send(request);
    }
    /// All at once; their answers, in the same order.
    std::vector<HttpAnswer> send_all(const std::vector<HttpRequest>& requests) {
        std::vector<HttpAnswer> answers(requests.size());
        auto open = requests.size();
        for (std::size_t i = 0; i < requests.size(); ++i) {
            http().start(requests[i], [&, i](const HttpAnswer& answer) {
                answers[i] = answer;
                if (--open == 0) context.stop();
            });
        }
        context.restart();
        context.run();
        return answers;
    }
    std::vector<HttpAnswer> send_many(const H2Server& server, int count) {
        trust(server);
        std::vector<HttpRequest> requests;
        for (int i = 0; i < count; ++i) {
            requests.push_back(request_to(server, "body-" + std::to_string(i)));
        }
        return send_all(requests);
    }
    /// Runs until it is true; what it looks at may be of another thread.
    template <class Condition>
    void run_until(Condition condition) {
        while (!condition()) {
            context.restart();
            context.run_one_for(std::chrono::milliseconds{10});
        }
    }

    asio::io_context context{1};
    SkippingClock clock;
    HttpOptions options{.timeout = std::chrono::seconds{20}, .ca_file = {}};
    std::unique_ptr<HttpClient> client;
};

/// Answers every request with its own body until the client is gone.
inline void echo_all(H2Line& line, int) {
    while (const auto request = line.read_request()) {
        line.answer(request->stream, 200, request->body);
    }
}

}  // namespace fanfare::test
