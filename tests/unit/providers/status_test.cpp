#include "tests/unit/providers/answer_case.hpp"

#include <limits>

namespace fanfare::testing {
namespace {

struct Row {
    int status;
    Verdict verdict;
    Reason reason;
};

TEST(ClassifyByStatus, FollowsTheTable) {
    std::vector<Row> rows{{413, Verdict::perm_req, Reason::content_too_large},
                          {408, Verdict::transient, Reason::provider_unavailable},
                          {425, Verdict::transient, Reason::provider_unavailable},
                          {429, Verdict::throttle, Reason::throttled},
                          {200, Verdict::ok, Reason::none},
                          {202, Verdict::ok, Reason::none}};
    for (const int status : {400, 414, 415, 422}) {
        rows.push_back({status, Verdict::perm_req, Reason::request_refused});
    }
    for (const int status :
         {401, 402, 403, 404, 405, 406, 451, 301, 302, 307, 308, 0, 100, -1, 600, 999,
          std::numeric_limits<int>::max(), std::numeric_limits<int>::min()}) {
        rows.push_back({status, Verdict::config, Reason::account_unusable});
    }
    for (const int status : {500, 501, 502, 503, 504, 599}) {
        rows.push_back({status, Verdict::transient, Reason::provider_unavailable});
    }
    for (const auto& row : rows) {
        const auto answer = classify_by_status("vendor", answered(row.status, "x"), 0);
        EXPECT_EQ(to_string(answer.verdict), to_string(row.verdict)) << row.status;
        EXPECT_EQ(to_string(answer.reason), to_string(row.reason)) << row.status;
        EXPECT_EQ(answer.detail, "vendor " + std::to_string(row.status));
    }
}

TEST(ClassifyByStatus, TellsWhatNeverLeftFromWhatIsInDoubt) {
    HttpAnswer answer;
    answer.status = 200;  // Whatever it says: no complete answer came.
    answer.transport = Transport::not_sent;
    EXPECT_EQ(classify_by_status("vendor", answer, 0).verdict, Verdict::transient);
    EXPECT_EQ(classify_by_status("vendor", answer, 0).reason, Reason::not_sent);
    answer.transport = Transport::in_doubt;
    EXPECT_EQ(classify_by_status("vendor", answer, 0).verdict, Verdict::ambiguous);
    EXPECT_EQ(classify_by_status("vendor", answer, 0).reason, Reason::answer_lost);
}

TEST(ClassifyByStatus, WaitsAsTold) {
    auto answer = answered(503, "");
    answer.retry_after = "7";
    EXPECT_EQ(classify_by_status("vendor", answer, 0).retry_after, std::chrono::seconds{7});
    answer.status = 400;
    EXPECT_EQ(classify_by_status("vendor", answer, 0).retry_after, std::chrono::seconds{0});
}

}  // namespace
}  // namespace fanfare::testing
