#include "core/async/grouped.hpp"

#include "tests/support/coroutines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class GroupedTest : public ::testing::Test {
protected:
    asio::awaitable<std::vector<std::string>> answer(std::span<const std::string> requests) {
        const std::vector<std::string> group(requests.begin(), requests.end());
        groups.push_back(group);
        co_await ready.wait();
        std::vector<std::string> said;
        for (const auto& request : group) said.push_back("to " + request);
        co_return said;
    }
    asio::awaitable<void> note(std::string request) {
        answers.push_back(co_await grouped.ask(request));
    }
    void ask(const std::string& request) {
        test::begin(context, note(request));
        test::settle(context);
    }
    void answer_group() {
        ready.notify();
        test::settle(context);
    }

    asio::io_context context{1};
    Signal ready{context.get_executor()};
    std::vector<std::vector<std::string>> groups;
    std::vector<std::string> answers;
    Grouped<std::string, std::string> grouped{
        [this](std::span<const std::string> requests) { return answer(requests); }, 3};
};

TEST_F(GroupedTest, OneAloneIsAskedAtOnce) {
    ask("a");
    EXPECT_THAT(groups, ElementsAre(ElementsAre("a")));
    EXPECT_THAT(answers, IsEmpty());
    answer_group();
    EXPECT_THAT(answers, ElementsAre("to a"));
}

TEST_F(GroupedTest, ThoseWhoComeMeanwhileAreTheNextGroupAsManyAsItTakes) {
    for (const auto* const request : {"a", "b", "c", "d", "e"}) ask(request);
    EXPECT_THAT(groups, ElementsAre(ElementsAre("a")));
    answer_group();
    EXPECT_THAT(groups.back(), ElementsAre("b", "c", "d"));
    answer_group();
    EXPECT_THAT(groups.back(), ElementsAre("e"));
    answer_group();
    EXPECT_THAT(answers, ElementsAre("to a", "to b", "to c", "to d", "to e"));
}

TEST_F(GroupedTest, BeginsAnewWhenNobodyWaits) {
    ask("a");
    answer_group();
    ask("b");
    EXPECT_THAT(groups.back(), ElementsAre("b"));
    answer_group();
    EXPECT_THAT(answers, ElementsAre("to a", "to b"));
}

}  // namespace
}  // namespace fanfare
