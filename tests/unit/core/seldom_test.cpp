#include "core/observe/seldom.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>

namespace fanfare {
namespace {

/// What is logged, by an own logger in the place of the process's.
class SeldomTest : public ::testing::Test {
protected:
    SeldomTest() : before_{spdlog::default_logger()} {
        auto logger = std::make_shared<spdlog::logger>(
            "seldom", std::make_shared<spdlog::sinks::ostream_sink_mt>(out_, true));
        logger->set_pattern("%v");
        spdlog::set_default_logger(std::move(logger));
    }
    ~SeldomTest() override { spdlog::set_default_logger(before_); }

    std::string logged() {
        auto text = out_.str();
        out_.str({});
        return text;
    }

    ManualClock clock{TimePoint{}};
    Seldom seldom{"records are bad", clock};

private:
    std::shared_ptr<spdlog::logger> before_;
    std::ostringstream out_;
};

TEST_F(SeldomTest, TellsTheFirstAtOnceAndTheRestOnceAMinute) {
    seldom.warn("record 1 is bad");
    EXPECT_EQ(logged(), "record 1 is bad\n");
    for (int i = 0; i < 140'000; ++i) seldom.warn("record is bad");
    EXPECT_EQ(logged(), "");
    clock.advance(std::chrono::seconds{60});
    seldom.warn("record 9 is bad");
    EXPECT_EQ(logged(), "record 9 is bad (140001 since this was last told)\n");
}

TEST_F(SeldomTest, ForgetsNone) {
    seldom.warn("first");
    seldom.warn("second");
    seldom.settle();
    EXPECT_EQ(logged(), "first\n") << "its minute is not over";
    clock.advance(std::chrono::seconds{60});
    seldom.settle();
    seldom.settle();
    EXPECT_EQ(logged(), "1 more: records are bad\n");
    seldom.warn("third");
    EXPECT_EQ(logged(), "") << "what settle() told counts";
    seldom.settle(true);
    EXPECT_EQ(logged(), "1 more: records are bad\n");
}

}  // namespace
}  // namespace fanfare
