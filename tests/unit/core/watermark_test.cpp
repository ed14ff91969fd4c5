#include "core/kafka/watermark.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <vector>

namespace fanfare::kafka {
namespace {

using Offset = std::optional<std::int64_t>;

Watermark begun(std::initializer_list<std::int64_t> offsets) {
    Watermark watermark;
    for (const auto offset : offsets) watermark.begin(offset);
    return watermark;
}

TEST(Watermark, KnowsNothingBeforeTheFirstRecord) {
    EXPECT_EQ(Watermark{}.committable(), std::nullopt);
    EXPECT_EQ(Watermark{}.open(), 0U);
}

TEST(Watermark, StaysAtTheOldestUnfinishedRecord) {
    auto watermark = begun({10, 11, 12, 13});
    watermark.finish(13);
    watermark.finish(11);
    EXPECT_EQ(watermark.committable(), Offset{10}) << "10 is still in work: it would be lost";
    watermark.finish(10);
    EXPECT_EQ(watermark.committable(), Offset{12});
    watermark.finish(12);
    EXPECT_EQ(watermark.committable(), Offset{14});
    EXPECT_EQ(watermark.open(), 0U);
}

TEST(Watermark, StepsOverGapsOfTheLog) {
    auto watermark = begun({5, 9, 40});
    watermark.finish(5);
    watermark.finish(9);
    EXPECT_EQ(watermark.committable(), Offset{10});
    watermark.finish(40);
    EXPECT_EQ(watermark.committable(), Offset{41});
}

TEST(Watermark, CountsARecordOnceHoweverOftenItIsDelivered) {
    auto watermark = begun({1, 2, 3});
    watermark.begin(2);
    watermark.begin(1);
    EXPECT_EQ(watermark.open(), 3U);
    watermark.finish(1);
    watermark.finish(2);
    watermark.begin(1);
    EXPECT_EQ(watermark.committable(), Offset{3})
        << "a repeat of a settled record holds nothing up";
    watermark.finish(3);
    EXPECT_EQ(watermark.committable(), Offset{4});
}

TEST(Watermark, IgnoresFinishesItNeverHeardOf) {
    auto watermark = begun({7, 9});
    watermark.finish(8);
    watermark.finish(100);
    watermark.finish(-1);
    EXPECT_EQ(watermark.committable(), Offset{7});
    EXPECT_EQ(watermark.open(), 2U);
    Watermark empty;
    empty.finish(3);
    EXPECT_EQ(empty.committable(), std::nullopt);
}

TEST(Watermark, CountsAFinishOnce) {
    auto watermark = begun({1, 2});
    watermark.finish(2);
    watermark.finish(2);
    EXPECT_EQ(watermark.open(), 1U);
    EXPECT_EQ(watermark.committable(), Offset{1});
}

/// The obvious way: remember everything, look through it each time.
class Model {
public:
    void begin(std::int64_t offset) { finished_.try_emplace(offset, false); }
    void finish(std::int64_t offset) {
        const auto found = finished_.find(offset);
        if (found != finished_.end()) found->second = true;
    }
    [[nodiscard]] Offset committable() const {
        Offset next;
        for (const auto& [offset, finished] : finished_) {
            if (!finished) return next ? next : Offset{offset};
            next = offset + 1;
        }
        return next;
    }
    [[nodiscard]] std::size_t open() const {
        std::size_t count = 0;
        for (const auto& [offset, finished] : finished_) count += finished ? 0 : 1;
        return count;
    }

private:
    std::map<std::int64_t, bool> finished_;
};

class WatermarkProperty : public ::testing::TestWithParam<unsigned> {};

TEST_P(WatermarkProperty, AgreesWithTheObviousWay) {
    std::mt19937 random{GetParam()};
    const auto below = [&](std::int64_t bound) {
        return std::uniform_int_distribution<std::int64_t>{0, bound - 1}(random);
    };
    Watermark watermark;
    Model model;
    std::vector<std::int64_t> known;
    std::int64_t next = below(1'000);
    Offset before;
    for (int step = 0; step < 2'000; ++step) {
        const auto what = below(10);
        if (known.empty() || what < 4) {
            next += 1 + (below(8) == 0 ? below(50) : 0);
            known.push_back(next);
            watermark.begin(next);
            model.begin(next);
        } else if (what < 5) {
            const auto again =
                known[static_cast<std::size_t>(below(static_cast<std::int64_t>(known.size())))];
            watermark.begin(again);
            model.begin(again);
        } else if (what < 9) {
            // Mostly recent ones, so that long unfinished runs build up and dissolve.
            const auto newest = static_cast<std::int64_t>(known.size());
            const auto reach = std::min<std::int64_t>(newest, 40);
            const auto offset = known[static_cast<std::size_t>(newest - 1 - below(reach))];
            watermark.finish(offset);
            model.finish(offset);
        } else {
            const auto offset = below(next + 10);
            watermark.finish(offset);
            model.finish(offset);
        }
        ASSERT_EQ(watermark.committable(), model.committable()) << "step " << step;
        ASSERT_EQ(watermark.open(), model.open()) << "step " << step;
        ASSERT_GE(watermark.committable(), before) << "a commit never goes back";
        before = watermark.committable();
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, WatermarkProperty, ::testing::Range(1U, 21U));

}  // namespace
}  // namespace fanfare::kafka
