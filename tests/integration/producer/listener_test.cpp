#include "producer/schedule/listener.hpp"

#include "core/async/wake_signal.hpp"
#include "database_case.hpp"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
constexpr auto patience = 60s;  // Never waited for in full.

class ListenerTest : public testing::EmptyDatabaseCase {
protected:
    void sql(const std::string& statement) {
        auto work = [&](postgres::Connection& connection) {
            pqxx::work one{connection.raw()};
            one.exec(statement);
            one.commit();
            return true;
        };
        ASSERT_TRUE(pool->call("sql", work));
    }

    std::unique_ptr<postgres::Pool> pool =
        std::make_unique<postgres::Pool>(url, postgres::Limits{}, 1);
    WakeSignal heard;
    std::string last_word;  // Read after it was heard.
};

TEST_F(ListenerTest, HearsItsChannelAndSaysSoWhenItHasConnectedAgain) {
    Listener listener{url, {"due"}, [this](const std::string& channel, const std::string& word) {
                          if (channel != "due") return;
                          last_word = word;
                          heard.notify();
                      }};
    EXPECT_TRUE(heard.wait(patience)) << "connected: something may have been said before";
    sql("NOTIFY other");
    sql("NOTIFY due, 'show 7'");
    EXPECT_TRUE(heard.wait(patience));
    EXPECT_EQ(last_word, "show 7");
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'listen%' "
        "AND datname = current_database()");
    EXPECT_TRUE(heard.wait(patience)) << "connected again";
    sql("NOTIFY due");
    EXPECT_TRUE(heard.wait(patience));
}

TEST_F(ListenerTest, EndsAtOnceWithoutADatabase) {
    const Listener listener{
        Secret{"postgresql://127.0.0.1:1/none"},
        {"due"},
        [](const std::string&, const std::string&) { FAIL() << "there is nothing to hear"; }};
}

}  // namespace
}  // namespace fanfare
