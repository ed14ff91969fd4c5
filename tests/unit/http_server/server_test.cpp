#include "server_case.hpp"
#include "tests/support/http_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace fanfare::testing {
namespace {

using asio::ip::tcp;
using Client = RawClient;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

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
    expect_problem(ask("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"), 404, "not_found");
    const auto wrong_method = ask("PUT /echo/a HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_problem(wrong_method, 405, "method_not_allowed");
    EXPECT_THAT(wrong_method, HasSubstr("Allow: POST, GET, HEAD\r\n"));
    expect_problem(ask(posting("/echo/a", std::string(2'049, 'x'))), 413, "too_large");
    EXPECT_THAT(ask(posting("/echo/a", std::string(2'048, 'x'))), HasSubstr(" 200 "));
    const auto chunks = fmt::format(
        "POST /echo/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
        "chunked\r\n\r\nfff\r\n{}\r\n0\r\n\r\n",
        std::string(0xfff, 'x'));
    expect_problem(ask(chunks), 413, "too_large");
    expect_problem(ask(posting("/strict", "{}", "Content-Type: text/plain\r\n")), 415,
                   "unsupported_media_type");
    expect_problem(ask(posting("/strict", "{          }", "Content-Type: application/json\r\n")),
                   413, "too_large");
    EXPECT_THAT(ask(posting("/strict", "{}", "Content-Type: Application/JSON; charset=utf-8\r\n")),
                HasSubstr(" 200 "));
    expect_problem(ask("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"), 431,
                   "header_too_large");
    expect_problem(ask("GET /" + std::string(20'000, 'x')), 414, "target_too_long");
    expect_problem(ask("NONSENSE\r\n\r\n"), 400, "malformed_request");
    expect_problem(ask("GET / HTTP/1.1\r\n\r\n"), 400, "malformed_request");
    expect_problem(ask("GET / HTTP/3.0\r\n\r\n"), 505, "version_not_supported");
    expect_problem(ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"), 501,
                   "not_implemented");
    const auto encoded = ask(posting("/strict", "{}",
                                     "Content-Type: application/json\r\n"
                                     "Content-Encoding: gzip\r\n"));
    expect_problem(encoded, 415, "unsupported_encoding");
    EXPECT_THAT(encoded, HasSubstr("Accept-Encoding: identity\r\n"));
    EXPECT_THAT(ask(posting("/echo/a", "x", "Content-Encoding: Identity\r\n")), HasSubstr(" 200 "));
    expect_problem(ask(posting("/echo/a", "x", "Content-Encoding: br\r\n")), 415,
                   "unsupported_encoding");
    const auto broken = ask("GET /breaks HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_problem(broken, 500, "internal");
    EXPECT_THAT(broken, Not(HasSubstr("secret")));
}

TEST_F(WebServerTest, CutsOffASlowClient) {
    settings.request_timeout = std::chrono::milliseconds{100};
    const auto port = start();
    Client header{port};
    expect_problem(header.ask("GET /echo/a HTTP/1.1\r\nHost"), 408, "request_timeout");
    EXPECT_TRUE(header.is_closed());
    Client body{port};
    expect_problem(body.ask("POST /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"),
                   408, "request_timeout");
    EXPECT_TRUE(body.is_closed());
}

TEST_F(WebServerTest, AnswersARefusalBeforeTheBodyAndSaysWhenToGoOn) {
    const auto port = start();
    Client refused{port};
    const auto head =
        "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
        "Expect: 100-continue\r\n\r\n";
    expect_problem(refused.ask(head), 404, "not_found");
    EXPECT_TRUE(refused.is_closed());
    Client taken{port};
    taken.write(
        "POST /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_THAT(taken.read(true), StartsWith("HTTP/1.1 100 "));
    EXPECT_THAT(taken.ask("ok"), HasSubstr("POST a  ok"));
}

TEST_F(WebServerTest, LooksAtWhoCallsBeforeTheBody) {
    const auto port = start();
    const std::string head = "POST /guarded HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n";
    Client unknown{port};
    expect_problem(unknown.ask(head + "\r\n"), 401, "unauthorized");
    EXPECT_TRUE(unknown.is_closed());
    Client large{port};
    expect_problem(large.ask("POST /guarded HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n"),
                   401, "unauthorized");
    Client good{port};
    EXPECT_THAT(good.ask(head + "token: good\r\n\r\n123456789"), HasSubstr("POST   123456789"));
    expect_problem(good.ask(posting("/guarded", "12345678901", "token: good\r\n")), 413,
                   "too_large");
}

TEST_F(WebServerTest, ABodyThatDoesNotCountIsNotRead) {
    const auto port = start();
    const std::string head = "POST /bodiless HTTP/1.1\r\nHost: x\r\n";
    Client endless{port};
    EXPECT_THAT(endless.ask(head + "Transfer-Encoding: chunked\r\nContent-Encoding: x\r\n\r\n"
                                   "ffffffff\r\nabc"),
                HasSubstr("POST   "));
    Client large{port};
    EXPECT_THAT(large.ask(head + "Content-Length: 9999999999\r\nExpect: 100-continue\r\n\r\n"),
                StartsWith("HTTP/1.1 200 "));
    Client none{port};
    EXPECT_THAT(none.ask(head + "\r\n" + get), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(none.read(), HasSubstr("GET a"));
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
    asio::write(stream, asio::buffer(std::string{
                            "GET /echo/tls HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"}));
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
}  // namespace fanfare::testing
