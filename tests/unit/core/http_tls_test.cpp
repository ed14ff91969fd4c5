#include "tests/unit/core/http_case.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace fanfare {
namespace {

using test::answer_all;
using test::EitherHttpTest;
using test::HttpServer;
using test::Line;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class TlsTest : public EitherHttpTest {
protected:
    void trust(const std::string& certificate) {
        options.allow_http = false;
        options.ca_file = std::filesystem::temp_directory_path() /
                          fmt::format("fanfare-http-test-{}.pem", ::getpid());
        std::ofstream{options.ca_file} << certificate;
    }
    void TearDown() override {
        if (!options.ca_file.empty()) std::filesystem::remove(options.ca_file);
    }
};

INSTANTIATE_TEST_SUITE_P(Engines, TlsTest, test::either_engine(), TlsTest::name);

TEST_P(TlsTest, TrustsTheCertificateItWasGiven) {
    const auto own = test::make_certificate("IP:127.0.0.1");
    HttpServer server{answer_all, own.certificate, own.key};
    trust(own.certificate);
    const auto answer = send(server, "secret");
    EXPECT_EQ(answer.transport, Transport::answered) << answer.fault;
    EXPECT_EQ(answer.body, "secret");
}

TEST_P(TlsTest, SendsNothingUnderAnUnknownAuthority) {
    const auto own = test::make_certificate("IP:127.0.0.1");
    const auto other = test::make_certificate("IP:127.0.0.1");
    HttpServer server{answer_all, own.certificate, own.key};
    trust(other.certificate);
    EXPECT_EQ(send(server, "secret").transport, Transport::not_sent);
    EXPECT_THAT(server.requests(), IsEmpty());
}

TEST_P(TlsTest, SendsNothingUnderAnotherHostsName) {
    const auto own = test::make_certificate("DNS:other.example");
    HttpServer server{answer_all, own.certificate, own.key};
    trust(own.certificate);
    EXPECT_EQ(send(server, "secret").transport, Transport::not_sent);
    EXPECT_THAT(server.requests(), IsEmpty());
}

TEST_P(TlsTest, NeverSendsTwiceOnAKeptConnectionThatDies) {
    const auto own = test::make_certificate("IP:127.0.0.1");
    HttpServer server{[](Line& line, int connection) {
                          if (connection > 0) return answer_all(line, connection);
                          if (line.read_request()) line.write(HttpServer::answer(200, "one"));
                          if (line.read_request()) line.close();
                      },
                      own.certificate, own.key};
    trust(own.certificate);
    ASSERT_EQ(send(server, "one").body, "one");
    EXPECT_EQ(send(server, "two").transport, Transport::in_doubt);
    EXPECT_THAT(server.requests(), SizeIs(2));
}

}  // namespace
}  // namespace fanfare
