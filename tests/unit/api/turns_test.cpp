// Who may do what takes long, and who waits for it.
#include "producer/api/turns.hpp"

#include "tests/support/coroutines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
using ::testing::ElementsAre;

class TurnsTest : public ::testing::Test {
protected:
    asio::awaitable<void> enter(std::string client, std::string name) {
        auto turn = co_await turns_.take(std::move(client));
        log_.push_back(name + (turn ? " in" : " refused"));
        if (turn) held_[name] = std::move(turn);
    }
    void ask(const std::string& client, const std::string& name) {
        test::begin(context_, enter(client, name));
        test::settle(context_);
    }
    void leave(const std::string& name) {
        held_.erase(name);
        test::settle(context_);
    }

    asio::io_context context_{1};
    Turns turns_;
    std::vector<std::string> log_;
    std::map<std::string, std::unique_ptr<Turns::Turn>> held_;
};

TEST_F(TurnsTest, AClientHasOneAtATimeInOrder) {
    ask("shop", "a");
    ask("shop", "b");
    ask("shop", "c");
    ask("other", "d");
    EXPECT_THAT(log_, ElementsAre("a in", "d in"));
    leave("a");
    EXPECT_THAT(log_, ElementsAre("a in", "d in", "b in"));
    leave("b");
    leave("c");
    ask("shop", "e");
    EXPECT_THAT(log_, ElementsAre("a in", "d in", "b in", "c in", "e in"));
}

TEST_F(TurnsTest, SoManyWait) {
    for (int i = 0; i < 24; ++i) ask("shop", std::to_string(i));
    EXPECT_EQ(std::count_if(log_.begin(), log_.end(),
                            [](const auto& line) { return line.ends_with("refused"); }),
              24 - 1 - static_cast<int>(Turns::waiting_max));
    ask("other", "other");
    EXPECT_EQ(log_.back(), "other in");
    for (int i = 0; i < 24; ++i) leave(std::to_string(i));
}

TEST_F(TurnsTest, NobodyWaitsWhenItIsOver) {
    ask("shop", "a");
    ask("shop", "b");
    turns_.close();
    test::settle(context_);
    ask("shop", "c");
    EXPECT_THAT(log_, ElementsAre("a in", "b refused", "c refused"));
    leave("a");
}

}  // namespace
}  // namespace fanfare::api
