#pragma once

#include "core/clock/clock.hpp"
#include "core/http/client.hpp"
#include "core/http/h1_client.hpp"
#include "tests/support/coroutines.hpp"
#include "tests/support/http_server.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <ostream>
#include <string>

namespace fanfare {

inline void PrintTo(Transport transport, std::ostream* out) {
    constexpr std::array<const char*, 3> words{"answered", "not_sent", "in_doubt"};
    *out << words.at(static_cast<std::size_t>(transport));
}

namespace test {

namespace asio = boost::asio;

enum class HttpEngine { libcurl, beast };

inline std::string name_of(HttpEngine engine) {
    return engine == HttpEngine::libcurl ? "libcurl" : "beast";
}

inline auto either_engine() { return ::testing::Values(HttpEngine::libcurl, HttpEngine::beast); }

/// A client of ours, and servers on loopback that do as they are told.
class HttpTest : public ::testing::Test {
protected:
    HttpAnswer send(const HttpRequest& request) { return run(context, http().send(request)); }
    HttpAnswer send(const HttpServer& server, std::string body = "hello") {
        const HttpRequest request{server.url(), {"Content-Type: text/plain"}, std::move(body)};
        return send(request);
    }
    HttpClient& http() {
        if (!client) client = make_client();
        return *client;
    }
    [[nodiscard]] virtual std::unique_ptr<HttpClient> make_client() {
        return HttpClient::create(context.get_executor(), options);
    }
    [[nodiscard]] std::unique_ptr<HttpClient> make(HttpEngine engine) {
        if (engine == HttpEngine::libcurl) return HttpTest::make_client();
        return make_h1_client(context.get_executor(), options, system_clock());
    }

    asio::io_context context{1};
    HttpOptions options{.timeout = std::chrono::seconds{20}, .ca_file = {}, .allow_http = true};
    std::unique_ptr<HttpClient> client;
};

/// The same for either engine of HTTP/1.1.
class EitherHttpTest : public HttpTest, public ::testing::WithParamInterface<HttpEngine> {
public:
    [[nodiscard]] static std::string name(const ::testing::TestParamInfo<HttpEngine>& engine) {
        return name_of(engine.param);
    }

protected:
    [[nodiscard]] std::unique_ptr<HttpClient> make_client() override { return make(GetParam()); }
};

/// Answers every request until the client is gone.
inline void answer_all(Line& line, int) {
    while (const auto request = line.read_request()) {
        line.write(HttpServer::answer(200, body_of(*request)));
    }
}

}  // namespace test
}  // namespace fanfare
