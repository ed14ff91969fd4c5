#pragma once

#include "core/providers/provider.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <ostream>
#include <string>

namespace fanfare::testing {

/// One row of a provider's table of answers.
struct AnswerCase {
    std::string name;
    int status;
    std::string body;
    Verdict verdict;
    Reason reason;
    std::chrono::milliseconds wait{0};
};

inline void PrintTo(const AnswerCase& row, std::ostream* out) { *out << row.name; }

inline HttpAnswer answered(int status, std::string body) {
    HttpAnswer answer;
    answer.transport = Transport::answered;
    answer.status = status;
    answer.body = std::move(body);
    return answer;
}

inline void expect_row(const AnswerCase& row, const BatchAnswer& answer) {
    EXPECT_EQ(to_string(answer.verdict), to_string(row.verdict)) << answer.detail;
    EXPECT_EQ(to_string(answer.reason), to_string(row.reason)) << answer.detail;
    EXPECT_EQ(answer.retry_after, row.wait) << answer.detail;
}

/// Makes the name of a row the name of its test.
inline std::string row_name(const ::testing::TestParamInfo<AnswerCase>& each) {
    return each.param.name;
}

}  // namespace fanfare::testing
