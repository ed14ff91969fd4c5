// Bytes that TLS holds and cannot tell yet: part of a record is nobody's answer.
#include "core/error/failure.hpp"
#include "core/http/tls.hpp"
#include "tests/unit/core/http_case.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <openssl/pem.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <string>

namespace fanfare {
namespace {

using test::HttpServer;
using test::HttpTest;
using test::Line;

/// A server's TLS without I/O.
class ServerTls {
public:
    explicit ServerTls(const test::Certificate& own) {
        const Handle<BIO, BIO_free_all> key{read_only(own.key)};
        const Handle<BIO, BIO_free_all> certificate{read_only(own.certificate)};
        const Handle<EVP_PKEY, EVP_PKEY_free> secret{
            PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr)};
        const Handle<X509, X509_free> name{
            PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr)};
        SSL_CTX_use_certificate(context_.get(), name.get());
        SSL_CTX_use_PrivateKey(context_.get(), secret.get());
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_bio(ssl_.get(), in_, out_);
        SSL_set_accept_state(ssl_.get());
    }
    /// What follows on these bytes of the client; what they say is in `heard`.
    std::string receive(std::string_view bytes) {
        BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
        std::array<char, 4'096> room{};
        int got = 0;
        while ((got = SSL_read(ssl_.get(), room.data(), room.size())) > 0) {
            heard.append(room.data(), static_cast<std::size_t>(got));
        }
        return take();
    }
    /// One record.
    std::string say(std::string_view plain) {
        SSL_write(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
        return take();
    }
    std::string heard;

private:
    static BIO* read_only(const std::string& text) {
        return BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
    }
    std::string take() {
        char* begin = nullptr;
        const auto size = BIO_get_mem_data(out_, &begin);
        std::string bytes(begin, static_cast<std::size_t>(size));
        std::ignore = BIO_reset(out_);
        return bytes;
    }
    TlsContext context_{SSL_CTX_new(TLS_server_method())};
    Handle<SSL, SSL_free> ssl_;
    BIO* in_ = BIO_new(BIO_s_mem());
    BIO* out_ = BIO_new(BIO_s_mem());
};

class H1TlsTest : public HttpTest {
protected:
    void SetUp() override {
        options.allow_http = false;
        options.ca_file = std::filesystem::temp_directory_path() /
                          fmt::format("fanfare-h1-tls-test-{}.pem", ::getpid());
        std::ofstream{options.ca_file} << own.certificate;
    }
    void TearDown() override {
        client.reset();
        std::filesystem::remove(options.ca_file);
    }
    [[nodiscard]] std::unique_ptr<HttpClient> make_client() override {
        return make(test::HttpEngine::beast);
    }
    [[nodiscard]] HttpAnswer ask(const HttpServer& server, std::string body) {
        return send({fmt::format("https://127.0.0.1:{}/", server.port()), {}, std::move(body)});
    }
    test::Certificate own = test::make_certificate("IP:127.0.0.1");
};

/// Reads until a request of that body is whole. False where the client is gone.
bool read_request(Line& line, ServerTls& tls, std::string_view body) {
    while (!tls.heard.ends_with(fmt::format("\r\n\r\n{}", body))) {
        const auto byte = line.read(1);
        if (!byte) return false;
        const auto out = tls.receive(*byte);
        if (!out.empty()) line.write(out);
    }
    tls.heard.clear();
    return true;
}

void answer_two(Line& line, const test::Certificate& own) {
    ServerTls tls{own};
    if (read_request(line, tls, "two")) line.write(tls.say(HttpServer::answer(200, "two")));
    line.wait_for_close();
}

TEST_F(H1TlsTest, AChannelHoldsWhatIsNotAWholeRecord) {
    const auto context_of_client = make_tls_context(options.ca_file, HttpVersion::h1);
    TlsChannel client_end{*context_of_client, "127.0.0.1", HttpVersion::h1};
    ServerTls server_end{own};
    std::string plain;
    ASSERT_TRUE(client_end.shake_hands());
    for (int i = 0; i < 3; ++i) {
        std::string out;
        client_end.take(out);
        ASSERT_TRUE(client_end.receive(server_end.receive(out), plain));
    }
    ASSERT_TRUE(client_end.is_ready());
    EXPECT_FALSE(client_end.holds_bytes());
    for (int round = 0; round < 2; ++round) {
        const auto record = server_end.say("hello");
        plain.clear();
        for (const char& byte : record) {
            EXPECT_TRUE(plain.empty());
            ASSERT_TRUE(client_end.receive({&byte, 1}, plain));
            EXPECT_EQ(client_end.holds_bytes(), &byte != &record.back()) << &byte - record.data();
        }
        EXPECT_EQ(plain, "hello");
    }
}

/// So many bytes of an unasked answer come before the next request, the rest after it.
class HeldTest : public H1TlsTest, public ::testing::WithParamInterface<std::size_t> {};

INSTANTIATE_TEST_SUITE_P(Bytes, HeldTest, ::testing::Values(1U, 5U, 20U));

TEST_P(HeldTest, BehindAnAnswerItEndsTheConnection) {
    HttpServer server{[&](Line& line, int connection) {
        if (connection > 0) return answer_two(line, own);
        ServerTls tls{own};
        if (!read_request(line, tls, "one")) return;
        const auto answer = tls.say(HttpServer::answer(200, "one"));
        const auto unasked = tls.say(HttpServer::answer(408, "unasked"));
        line.write(answer + unasked.substr(0, GetParam()));
        if (read_request(line, tls, "two")) line.write(unasked.substr(GetParam()));
    }};
    ASSERT_EQ(ask(server, "one").body, "one");
    const auto second = ask(server, "two");
    EXPECT_EQ(second.body, "two") << second.fault;
    EXPECT_EQ(server.connections(), 2);
}

TEST_P(HeldTest, OnAKeptConnectionItTakesNoRequest) {
    options.connections_max = 1;
    std::promise<void> answered;
    std::promise<void> said;
    HttpServer server{[&, is_answered = answered.get_future().share()](Line& line, int connection) {
        if (connection > 0) return answer_two(line, own);
        ServerTls tls{own};
        if (!read_request(line, tls, "one")) return;
        line.write(tls.say(HttpServer::answer(200, "one")));
        is_answered.wait();
        const auto unasked = tls.say(HttpServer::answer(408, "unasked"));
        line.write(unasked.substr(0, GetParam()));
        said.set_value();
        if (read_request(line, tls, "two")) line.write(unasked.substr(GetParam()));
    }};
    ASSERT_EQ(ask(server, "one").body, "one");
    answered.set_value();
    said.get_future().wait();
    context.restart();
    context.run_for(std::chrono::milliseconds{50});  // What came is read.
    const auto second = ask(server, "two");
    EXPECT_EQ(second.body, "two") << second.fault;
    EXPECT_EQ(server.connections(), 2);
}

}  // namespace
}  // namespace fanfare
