#include "core/async/task_group.hpp"
#include "tests/support/coroutines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using ::testing::ElementsAre;

asio::awaitable<void> note_after(Signal& signal, std::vector<std::string>& notes,
                                 std::string note) {
    co_await signal.wait();
    notes.push_back(std::move(note));
}

asio::awaitable<void> join(TaskGroup& group, bool& joined) {
    co_await group.join();
    joined = true;
}

TEST(TaskGroup, JoinsAtOnceWhenEmpty) {
    asio::io_context context{1};
    TaskGroup group{context.get_executor()};
    bool joined = false;
    test::run(context, join(group, joined));
    EXPECT_TRUE(joined);
}

TEST(TaskGroup, JoinsOnlyAfterTheLastTask) {
    asio::io_context context{1};
    TaskGroup group{context.get_executor()};
    Signal first{context.get_executor()};
    Signal second{context.get_executor()};
    std::vector<std::string> notes;
    bool joined = false;
    group.spawn(note_after(first, notes, "first"));
    group.spawn(note_after(second, notes, "second"));
    test::begin(context, join(group, joined));
    test::settle(context);
    EXPECT_EQ(group.running(), 2U);

    first.notify();
    test::settle(context);
    EXPECT_FALSE(joined) << "one task still runs";

    second.notify();
    test::settle(context);
    EXPECT_TRUE(joined);
    EXPECT_THAT(notes, ElementsAre("first", "second"));
}

TEST(TaskGroup, TakesNewTasksWhileItIsJoined) {
    asio::io_context context{1};
    TaskGroup group{context.get_executor()};
    Signal signal{context.get_executor()};
    std::vector<std::string> notes;
    bool joined = false;
    group.spawn(note_after(signal, notes, "old"));
    test::begin(context, join(group, joined));
    test::settle(context);
    group.spawn(note_after(signal, notes, "new"));
    test::settle(context);

    signal.notify();
    test::settle(context);
    EXPECT_TRUE(joined);
    EXPECT_EQ(notes.size(), 2U);
}

TEST(TaskGroup, CanBeUsedAgainAfterAJoin) {
    asio::io_context context{1};
    TaskGroup group{context.get_executor()};
    Signal signal{context.get_executor()};
    std::vector<std::string> notes;
    for (int round = 0; round < 2; ++round) {
        bool joined = false;
        group.spawn(note_after(signal, notes, "round"));
        test::begin(context, join(group, joined));
        test::settle(context);
        EXPECT_FALSE(joined);
        signal.notify();
        test::settle(context);
        EXPECT_TRUE(joined);
    }
}

TEST(TaskGroupDeathTest, EndingWithARunningTaskIsABug) {
    ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_DEATH(
        {
            asio::io_context context{1};
            Signal signal{context.get_executor()};
            std::vector<std::string> notes;
            TaskGroup group{context.get_executor()};
            group.spawn(note_after(signal, notes, "never"));
        },
        "joined before it ends");
}

TEST(Signal, NotifyWakesEveryoneWhoWaits) {
    asio::io_context context{1};
    Signal signal{context.get_executor()};
    std::vector<std::string> notes;
    for (const auto* name : {"a", "b", "c"}) test::begin(context, note_after(signal, notes, name));
    test::settle(context);
    EXPECT_TRUE(notes.empty());

    signal.notify();
    test::settle(context);
    EXPECT_THAT(notes, ElementsAre("a", "b", "c"));
}

TEST(Signal, NotifyOneWakesTheOneThatWaitedLongest) {
    asio::io_context context{1};
    Signal signal{context.get_executor()};
    std::vector<std::string> notes;
    for (const auto* name : {"a", "b", "c"}) test::begin(context, note_after(signal, notes, name));
    test::settle(context);

    signal.notify_one();
    test::settle(context);
    EXPECT_THAT(notes, ElementsAre("a"));
    signal.notify_one();
    test::settle(context);
    EXPECT_THAT(notes, ElementsAre("a", "b"));
    signal.notify();
    test::settle(context);
    EXPECT_THAT(notes, ElementsAre("a", "b", "c"));
}

TEST(Signal, IsNotRemembered) {
    asio::io_context context{1};
    Signal signal{context.get_executor()};
    std::vector<std::string> notes;
    signal.notify();
    test::begin(context, note_after(signal, notes, "late"));
    test::settle(context);
    EXPECT_TRUE(notes.empty()) << "waiters look at their condition first; a signal is no counter";
    signal.notify();
    test::settle(context);
}

}  // namespace
}  // namespace fanfare
