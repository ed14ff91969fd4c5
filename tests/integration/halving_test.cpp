#include "core/postgres/halving.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/except>

#include <stdexcept>
#include <vector>

namespace fanfare::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Does what it is told with numbers; the negative ones are refused.
struct Doing {
    std::string state{"22021"};
    std::vector<int> done;
    std::vector<int> refused;
    int calls = 0;

    void all(const std::vector<int>& items, std::size_t refused_max = any_number) {
        halve(
            std::span<const int>{items},
            [this](std::span<const int> some) {
                ++calls;
                for (const int one : some) {
                    if (one < 0) throw pqxx::sql_error{"refused", "INSERT", state.c_str()};
                }
                done.insert(done.end(), some.begin(), some.end());
            },
            [this](int one, const std::exception&) { refused.push_back(one); }, refused_max);
    }
};

TEST(Halving, DoesAllAtOnceWhereNothingIsRefused) {
    Doing doing;
    doing.all({1, 2, 3});
    EXPECT_THAT(doing.done, ElementsAre(1, 2, 3));
    EXPECT_EQ(doing.calls, 1);
    doing.all({});
    EXPECT_EQ(doing.calls, 1);
}

TEST(Halving, FindsTheCulpritsAndDoesTheOthers) {
    Doing doing;
    doing.all({1, 2, -3, 4, 5, 6, 7, -8});
    EXPECT_THAT(doing.done, ElementsAre(1, 2, 4, 5, 6, 7));
    EXPECT_THAT(doing.refused, ElementsAre(-3, -8));
    Doing alone;
    alone.all({-1});
    EXPECT_THAT(alone.refused, ElementsAre(-1));
}

TEST(Halving, BlamesNobodyForAnOutageOrABadStatement) {
    for (const auto* const state : {"57P01", "40001", "42P01", "53300", ""}) {
        Doing doing;
        doing.state = state;
        EXPECT_THROW(doing.all({1, -2, 3}), pqxx::sql_error) << state;
        EXPECT_EQ(doing.calls, 1) << state;
        EXPECT_THAT(doing.refused, IsEmpty()) << state;
    }
    EXPECT_FALSE(is_data_error(std::runtime_error{"not of PostgreSQL"}));
    EXPECT_FALSE(is_data_error(pqxx::broken_connection{}));
}

TEST(Halving, GivesUpWhereTooManyAreRefused) {
    Doing doing;
    EXPECT_THROW(doing.all({-1, -2, -3, -4, -5, -6, -7, -8}, 2), pqxx::sql_error);
    EXPECT_THAT(doing.refused, ElementsAre(-1, -2));
}

}  // namespace
}  // namespace fanfare::postgres
