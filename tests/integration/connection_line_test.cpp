// What a connection to PostgreSQL asks of the line, and what it says of what the server says.
#include "core/postgres/connection.hpp"
#include "tests/support/test_database.hpp"

#include <gtest/gtest.h>
#include <pqxx/nontransaction>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <memory>

namespace fanfare::postgres {
namespace {

class ConnectionLineTest : public ::testing::Test {
protected:
    [[nodiscard]] int option(int level, int name) const {
        int value = -1;
        socklen_t size = sizeof value;
        EXPECT_EQ(::getsockopt(connection->raw().sock(), level, name, &value, &size), 0);
        return value;
    }

    test::TestDatabase database;
    std::unique_ptr<Connection> connection = database.connect();
};

TEST_F(ConnectionLineTest, ADeadOneIsGivenUpSoon) {
    EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 15'000) << "ms, for what is not acknowledged";
    EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 5);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 3);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 3);
}

TEST_F(ConnectionLineTest, WhatTheServerNotesReachesNobody) {
    pqxx::nontransaction work{connection->raw()};
    ::testing::internal::CaptureStderr();
    work.exec("DO $$ BEGIN RAISE NOTICE 'ada@example.org'; RAISE WARNING 'ada'; END $$");
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace fanfare::postgres
