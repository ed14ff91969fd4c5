#include "core/providers/classification.hpp"
#include "tests/unit/providers/answer_case.hpp"

#include <limits>

namespace fanfare::testing {
namespace {

constexpr ErrorDocument nobodys{};
constexpr ErrorDocument own{.own = true};
constexpr ErrorDocument perhaps{.own = true, .perhaps_taken = true};

BatchAnswer read(int status, const ErrorDocument& document, std::size_t count = 1) {
    return classify_error("vendor", document, answered(status, "x"), count, 0);
}

void expect_both(int status, Verdict by_provider, Verdict by_anybody) {
    EXPECT_EQ(to_string(read(status, own).verdict), to_string(by_provider)) << status;
    EXPECT_EQ(to_string(read(status, nobodys).verdict), to_string(by_anybody)) << status;
}

TEST(ClassifyError, FollowsTheTable) {
    for (const int status : {400, 415, 422}) {
        expect_both(status, Verdict::perm_req, Verdict::transient);
    }
    for (const int status : {413, 414, 431}) {
        expect_both(status, Verdict::perm_req, Verdict::perm_req);
        EXPECT_EQ(read(status, nobodys).reason, Reason::content_too_large);
    }
    for (const int status : {411, 417, 421, 426, 428}) {
        expect_both(status, Verdict::config, Verdict::transient);
    }
    for (const int status : {401, 402, 403, 404, 405, 406, 407, 409, 410, 412,
                             416, 418, 423, 424, 451, 301, 302, 304, 307, 308}) {
        expect_both(status, Verdict::config, Verdict::config);
        EXPECT_EQ(read(status, nobodys).reason, Reason::account_unusable);
    }
    expect_both(425, Verdict::transient, Verdict::transient);
    expect_both(429, Verdict::throttle, Verdict::throttle);
    expect_both(408, Verdict::transient, Verdict::ambiguous);
    for (const int status : {303, 309, 419, 444, 460, 494, 499}) {
        expect_both(status, Verdict::config, Verdict::ambiguous);
    }
    for (int status = 500; status <= 599; ++status) {
        expect_both(status, Verdict::transient, Verdict::ambiguous);
        EXPECT_EQ(read(status, nobodys).reason, Reason::answer_lost);
        EXPECT_EQ(read(status, perhaps).verdict, Verdict::ambiguous);
        EXPECT_EQ(read(status, perhaps).reason, Reason::answer_lost);
    }
    for (const int status : {0, 100, 101, 200, 202, -1, 600, 999, std::numeric_limits<int>::max(),
                             std::numeric_limits<int>::min()}) {
        expect_both(status, Verdict::ambiguous, Verdict::ambiguous);
    }
}

TEST(ClassifyError, GoesByTheCodeFirst) {
    constexpr Meaning barred{Verdict::suppress, Reason::address_invalid, "barred"};
    constexpr Meaning outage{Verdict::transient, Reason::provider_unavailable, "outage"};
    EXPECT_EQ(read(503, {.own = true, .meaning = barred}).verdict, Verdict::suppress);
    EXPECT_EQ(read(400, {.own = true, .meaning = outage}).verdict, Verdict::transient);
    const ErrorDocument doubt{.own = true, .perhaps_taken = true, .meaning = outage};
    EXPECT_EQ(read(400, doubt).verdict, Verdict::transient) << "a 4xx was not taken";
    EXPECT_EQ(read(503, doubt).verdict, Verdict::ambiguous);
    EXPECT_EQ(read(503, doubt).detail, "vendor 503: may have been sent");
}

TEST(ClassifyError, HalvesWhatWasTooLargeTogether) {
    EXPECT_TRUE(read(413, nobodys, 2).split);
    EXPECT_FALSE(read(413, nobodys, 1).split);
    EXPECT_FALSE(read(414, nobodys, 2).split) << "a URL does not shrink";
    EXPECT_FALSE(read(503, nobodys, 2).split);
}

TEST(ClassifyError, TellsWhatNeverLeftFromWhatIsInDoubt) {
    HttpAnswer answer;
    answer.status = 200;  // Whatever it says: no complete answer came.
    answer.transport = Transport::not_sent;
    const auto never_left = classify_error("vendor", own, answer, 1, 0);
    EXPECT_EQ(never_left.verdict, Verdict::transient);
    EXPECT_EQ(never_left.reason, Reason::not_sent);
    EXPECT_EQ(never_left.detail, "vendor: not sent");
    answer.fault = "curl 7: Couldn't connect to server";
    EXPECT_EQ(classify_error("vendor", own, answer, 1, 0).detail,
              "vendor: not sent, curl 7: Couldn't connect to server")
        << "the log names the cause";
    answer.transport = Transport::in_doubt;
    const auto lost = classify_error("vendor", own, answer, 1, 0);
    EXPECT_EQ(lost.verdict, Verdict::ambiguous);
    EXPECT_EQ(lost.reason, Reason::answer_lost);
}

TEST(ClassifyError, WaitsAsTold) {
    auto answer = answered(503, "");
    answer.retry_after = "7";
    EXPECT_EQ(classify_error("vendor", own, answer, 1, 0).retry_after, std::chrono::seconds{7});
    answer.status = 400;
    EXPECT_EQ(classify_error("vendor", own, answer, 1, 0).retry_after, std::chrono::seconds{0});
}

TEST(SpeaksOfGateway, KnowsTheirSentences) {
    for (const auto* const sentence :
         {"Endpoint request timed out", "The upstream server is timing out", "Bad Gateway",
          "Internal server error", "failure to get a peer from the ring-balancer"}) {
        EXPECT_TRUE(speaks_of_gateway(sentence)) << sentence;
    }
    for (const auto* const sentence : {"Internal Server Error", "", "try again later"}) {
        EXPECT_FALSE(speaks_of_gateway(sentence)) << sentence;
    }
}

}  // namespace
}  // namespace fanfare::testing
