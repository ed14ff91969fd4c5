#include "core/audience/phone.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

namespace fanfare {
namespace {

using namespace std::string_literals;

struct Row {
    std::string why;
    std::string number;
    std::string canonical;  // "": none.
};

const std::vector<Row>& rows() {
    static const std::vector<Row> table{
        {"United States", "+15558675310", "+15558675310"},
        {"Germany", "+4915210000001", "+4915210000001"},
        {"trunk zero", "+4402079460958", "+442079460958"},
        {"two trunk zeros: which is meant is not ours to guess", "+4900301234567", ""},
        {"Italy keeps its zero", "+390669820000", "+390669820000"},
        {"Niue, 7 digits", "+6834000", "+6834000"},
        {"possible but never assigned", "+15550000001", "+15550000001"},
        {"empty", "", ""},
        {"plus alone", "+", ""},
        {"no plus", "15558675310", ""},
        {"international prefix", "0015558675310", ""},
        {"blank before the plus", " +15558675310", ""},
        {"blank within", "+1 5558675310", ""},
        {"two pluses", "++15558675310", ""},
        {"plus inside", "+1555+8675310", ""},
        {"too short", "+1555867531", ""},
        {"of a town only", "+18675310", ""},
        {"too long", "+155586753100", ""},
        {"much too long", "+" + std::string(40, '1'), ""},
        {"unknown country code", "+9995558675310", ""},
        {"country code of zero", "+05558675310", ""},
        {"extension", "+15558675310;ext=1", ""},
        {"extension in words", "+15558675310 x1", ""},
        {"letters", "+1555FLOWERS", ""},
        {"letter o", "+1555867531o", ""},
        {"umlaut among digits", "+1555867531\xC3\xBC", ""},
        {"full-width digits", "+1555867531\xEF\xBC\x90", ""},
        {"Arabic digits", "+1555867531\xD9\xA0", ""},
        {"not UTF-8", "+1555867531\xFF", ""},
        {"NUL inside", "+1555\0008675310"s, ""},
        {"NUL at the end", "+15558675310\0"s, ""},
        {"line feed", "+15558675310\n", ""},
        {"two numbers", "+15558675310,+15558675311", ""},
    };
    return table;
}

TEST(Phone, FollowsTheTable) {
    for (const auto& [why, number, canonical] : rows()) {
        EXPECT_EQ(e164(number).value_or(""), canonical) << why;
    }
}

TEST(Phone, LeavesTheCanonicalFormAsItIs) {
    for (const auto& row : rows()) {
        if (row.canonical.empty()) continue;
        EXPECT_EQ(e164(row.canonical), row.canonical) << row.why;
    }
}

TEST(Phone, AnswersTheSameOnAllThreads) {
    std::array<int, 4> wrong{};
    {
        std::vector<std::jthread> threads;
        for (auto& mine : wrong) {
            threads.emplace_back([&mine] {
                for (int i = 0; i < 200; ++i) {
                    const auto number = "+1555" + std::to_string(1'000'000 + i);
                    mine += e164(number) == number ? 0 : 1;
                }
            });
        }
    }
    EXPECT_EQ(wrong, (std::array<int, 4>{}));
}

}  // namespace
}  // namespace fanfare
