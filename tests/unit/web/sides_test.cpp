#include "core/observe/sides.hpp"

#include "tests/support/coroutines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

namespace fanfare {
namespace {

using ::testing::HasSubstr;

class SidesTest : public ::testing::Test {
protected:
    ~SidesTest() override {
        watch.stop();
        test::run(context, watch.join());
    }

    /// Until the side was asked so often more.
    void look(int times) {
        const int wanted = asked + times;
        context.restart();
        while (asked < wanted) context.run_one();
        test::settle(context);
    }
    bool ask() {
        ++asked;
        return answers;
    }

    boost::asio::io_context context{1};
    ManualClock clock{TimePoint{std::chrono::seconds{1}}};
    std::atomic<int> asked{0};
    std::atomic<bool> answers{true};
    SideWatch watch{context.get_executor(),
                    clock,
                    {{"PostgreSQL", [] { return true; }}, {"Kafka", [this] { return ask(); }}},
                    std::chrono::milliseconds{1}};
};

TEST_F(SidesTest, OneIsGoneWhenItHasNotAnsweredForAWhile) {
    EXPECT_EQ(watch.trouble(), "") << "a program that starts has time to find its sides";
    watch.start();
    look(2);
    EXPECT_EQ(watch.trouble(), "");
    answers = false;
    look(3);
    clock.advance(SideWatch::grace - std::chrono::seconds{1});
    look(3);
    EXPECT_EQ(watch.trouble(), "") << "a blip takes nobody out of service";
    clock.advance(std::chrono::seconds{2});
    look(3);
    EXPECT_EQ(watch.trouble(), "Kafka has not answered for 21 s");
    answers = true;
    look(3);
    EXPECT_EQ(watch.trouble(), "");
}

}  // namespace
}  // namespace fanfare
