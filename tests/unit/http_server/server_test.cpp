#include "producer/http/server.hpp"

#include "tests/support/http_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// A client that writes bytes and reads answers, one after the other. Blocking.
class Client {
public:
    explicit Client(std::uint16_t port) {
        socket_.connect({asio::ip::make_address("127.0.0.1"), port});
    }
    void write(std::string_view bytes) {
        boost::system::error_code ignored;
        asio::write(socket_, asio::buffer(bytes), ignored);
    }
    /// Head and body of the next answer; "" when the server closed.
    std::string read(bool head_only = false) {
        boost::system::error_code fault;
        const auto size = asio::read_until(socket_, asio::dynamic_buffer(held_), "\r\n\r\n", fault);
        if (fault) return {};
        auto answer = held_.substr(0, size);
        held_.erase(0, size);
        if (head_only) return answer;
        const auto at = answer.find("Content-Length: ");
        const std::size_t length = at == std::string::npos ? 0 : std::stoul(answer.substr(at + 16));
        while (held_.size() < length) {
            char byte = 0;
            if (asio::read(socket_, asio::buffer(&byte, 1), fault) == 0) return {};
            held_.push_back(byte);
        }
        answer += held_.substr(0, length);
        held_.erase(0, length);
        return answer;
    }
    std::string ask(std::string_view bytes) {
        write(bytes);
        return read();
    }
    bool is_closed() {
        char byte = 0;
        boost::system::error_code fault;
        return held_.empty() && socket_.read_some(asio::buffer(&byte, 1), fault) == 0;
    }

private:
    asio::io_context context_;
    tcp::socket socket_{context_};
    std::string held_;
};

asio::awaitable<HttpReply> echo(const HttpCall& call) {
    HttpReply reply;
    reply.body = fmt::format("{} {} {} {}", call.method, call.param("name"), call.query, call.body);
    reply.headers.emplace_back("X-Seen", std::string{call.header("x-SENT")});
    co_return reply;
}
asio::awaitable<HttpReply> breaks(const HttpCall&) {
    throw std::runtime_error{"secret of the request"};
    co_return HttpReply{};
}

class WebServerTest : public ::testing::Test {
protected:
    ~WebServerTest() override { server->stop(); }

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
        RouteOptions slow;
        slow.per_second = 1;
        router.add("GET", "/slow", echo, slow);
        server->start(std::move(router));
        return server->port();
    }

    ServerSettings settings;
    std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
    std::unique_ptr<WebServer> server;
};

std::string posting(std::string_view path, std::string_view body, std::string_view headers = "") {
    return fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n{}\r\n{}", path,
                       body.size(), headers, body);
}

void expect_problem(const std::string& answer, int status) {
    EXPECT_THAT(answer, StartsWith(fmt::format("HTTP/1.1 {} ", status)));
    EXPECT_THAT(answer, HasSubstr("Content-Type: application/problem+json\r\n"));
    const auto body = boost::json::parse(answer.substr(answer.find("\r\n\r\n") + 4));
    EXPECT_EQ(body.at("status").as_int64(), status);
    EXPECT_EQ(body.at("type").as_string(), "about:blank");
    EXPECT_FALSE(body.at("title").as_string().empty());
    EXPECT_FALSE(body.at("detail").as_string().empty());
}

TEST_F(WebServerTest, ServesManyRequestsOnOneConnection) {
    Client client{start()};
    const auto first = client.ask(posting("/echo/a%20b?x=%31", "raw\r\n", "X-Sent: yes\r\n"));
    EXPECT_THAT(first, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(first, HasSubstr("X-Seen: yes\r\n"));
    EXPECT_THAT(first, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
    EXPECT_THAT(first, HasSubstr("\r\n\r\nPOST a b x=%31 raw\r\n"));
    // Two at once, and one in chunks.
    client.write(posting("/echo/1", "a") + posting("/echo/2", "b"));
    EXPECT_THAT(client.read(), HasSubstr("POST 1  a"));
    EXPECT_THAT(client.read(), HasSubstr("POST 2  b"));
    EXPECT_THAT(client.ask("POST /echo/c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
                HasSubstr("POST c  abcde"));
    client.write("HEAD /echo/h HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.read(true), HasSubstr("Content-Length: 8\r\n"));
    EXPECT_THAT(client.ask("GET /echo/g HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
                HasSubstr("GET g"));
    EXPECT_TRUE(client.is_closed());
}

TEST_F(WebServerTest, EveryErrorIsAProblemDocument) {
    settings.body_max = 2'048;
    const auto port = start();
    const auto ask = [port](std::string_view bytes) { return Client{port}.ask(bytes); };
    expect_problem(ask("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"), 404);
    const auto wrong_method = ask("PUT /echo/a HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_problem(wrong_method, 405);
    EXPECT_THAT(wrong_method, HasSubstr("Allow: POST, GET, HEAD\r\n"));
    expect_problem(ask(posting("/echo/a", std::string(2'049, 'x'))), 413);
    EXPECT_THAT(ask(posting("/echo/a", std::string(2'048, 'x'))), HasSubstr(" 200 "));
    const auto chunks = fmt::format(
        "POST /echo/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
        "chunked\r\n\r\nfff\r\n{}\r\n0\r\n\r\n",
        std::string(0xfff, 'x'));
    expect_problem(ask(chunks), 413);
    expect_problem(ask(posting("/strict", "{}", "Content-Type: text/plain\r\n")), 415);
    expect_problem(ask(posting("/strict", "{          }", "Content-Type: application/json\r\n")),
                   413);
    EXPECT_THAT(ask(posting("/strict", "{}", "Content-Type: Application/JSON; charset=utf-8\r\n")),
                HasSubstr(" 200 "));
    expect_problem(ask("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"), 431);
    expect_problem(ask("NONSENSE\r\n\r\n"), 400);
    expect_problem(ask("GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
    const auto broken = ask("GET /breaks HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_problem(broken, 500);
    EXPECT_THAT(broken, Not(HasSubstr("secret")));
    Client client{port};
    EXPECT_THAT(client.ask("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr(" 200 "));
    const auto limited = client.ask("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_problem(limited, 429);
    EXPECT_THAT(limited, HasSubstr("Retry-After: 1\r\n"));
}

TEST_F(WebServerTest, CutsOffASlowClient) {
    settings.request_timeout = std::chrono::milliseconds{100};
    const auto port = start();
    Client header{port};
    expect_problem(header.ask("GET /echo/a HTTP/1.1\r\nHost"), 408);
    EXPECT_TRUE(header.is_closed());
    Client body{port};
    expect_problem(body.ask("POST /echo/a HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"), 408);
    EXPECT_TRUE(body.is_closed());
}

TEST_F(WebServerTest, AnswersARefusalBeforeTheBodyAndSaysWhenToGoOn) {
    const auto port = start();
    Client refused{port};
    const auto head =
        "POST /nothing HTTP/1.1\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n";
    expect_problem(refused.ask(head), 404);
    EXPECT_TRUE(refused.is_closed());
    Client taken{port};
    taken.write("POST /echo/a HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_THAT(taken.read(true), StartsWith("HTTP/1.1 100 "));
    EXPECT_THAT(taken.ask("ok"), HasSubstr("POST a  ok"));
}

TEST_F(WebServerTest, HoldsSoManyConnections) {
    settings.connections_max = 2;
    const auto port = start();
    Client first{port};
    Client second{port};
    const auto get = "GET /echo/a HTTP/1.1\r\nHost: x\r\n\r\n";
    EXPECT_THAT(first.ask(get), HasSubstr(" 200 "));
    EXPECT_THAT(second.ask(get), HasSubstr(" 200 "));
    Client third{port};
    EXPECT_EQ(third.ask(get), "");
    EXPECT_THAT(first.ask(get), HasSubstr(" 200 "));
}

TEST_F(WebServerTest, StopEndsWhatIdles) {
    Client client{start()};
    EXPECT_THAT(client.ask("GET /echo/a HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr(" 200 "));
    server->stop();
    EXPECT_TRUE(client.is_closed());
}

TEST_F(WebServerTest, SpeaksTls) {
    const auto pair = test::make_certificate("DNS:localhost");
    const auto folder =
        std::filesystem::temp_directory_path() / fmt::format("fanfare-tls-{}", getpid());
    std::filesystem::create_directories(folder);
    settings.certificate = folder / "certificate.pem";
    settings.key = folder / "key.pem";
    std::ofstream{settings.certificate} << pair.certificate;
    std::ofstream{settings.key} << pair.key;
    const auto port = start();
    std::filesystem::remove_all(folder);
    asio::io_context context;
    asio::ssl::context tls{asio::ssl::context::tls_client};
    tls.add_certificate_authority(asio::buffer(pair.certificate));
    tls.set_verify_mode(asio::ssl::verify_peer);
    asio::ssl::stream<tcp::socket> stream{context, tls};
    stream.next_layer().connect({asio::ip::make_address("127.0.0.1"), port});
    stream.handshake(asio::ssl::stream_base::client);
    asio::write(stream,
                asio::buffer(std::string{"GET /echo/tls HTTP/1.1\r\nConnection: close\r\n\r\n"}));
    std::string answer;
    boost::system::error_code end;
    asio::read(stream, asio::dynamic_buffer(answer), end);
    EXPECT_THAT(answer, HasSubstr("GET tls"));
    EXPECT_EQ(end, asio::error::eof) << "closed in order, not cut";
}

TEST(WebServerSettings, SayWhatIsWrong) {
    ServerSettings settings;
    settings.port = 0;
    settings.certificate = "/nothing.pem";
    settings.key = "/nothing.pem";
    const auto opened =
        WebServer::open(settings, system_clock(), std::make_shared<prometheus::Registry>());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::config_invalid);
    EXPECT_THAT(opened.error().doing, HasSubstr("producer.http"));
}

}  // namespace
}  // namespace fanfare
