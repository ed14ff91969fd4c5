#include "tests/unit/sim/provider_handler_case.hpp"

#include <gmock/gmock.h>

namespace fanfare::sim {
namespace {

using testing::HasSubstr;
using testing::Not;

class AdminTest : public ProviderHandlerCase {};

TEST_F(AdminTest, ListsWhatWasAccepted) {
    send(sms("15558675310", "job.1"));
    send(sms("15558675310", "job.2"));
    send(sms("15558675311", "job.2"));
    send(sms("15558675312", "other.1"));
    EXPECT_EQ(admin("GET", "/oracle/accepted", "provider=twilio&job=job"),
              "+15558675310\t2\n+15558675311\t1\n");
    EXPECT_EQ(admin("GET", "/oracle/accepted", "provider=mailgun"), "");
    EXPECT_THAT(admin("GET", "/oracle/accepted"), HasSubstr("+15558675312\t1\n"));
    admin("GET", "/oracle/accepted", "provider=nobody");
    EXPECT_EQ(status_, 400);
}

TEST_F(AdminTest, ListsJobs) {
    send(sms("15558675310", "job.1"));
    const auto jobs = boost::json::parse(admin("GET", "/oracle/jobs")).as_array();
    ASSERT_EQ(jobs.size(), 1U);
    EXPECT_EQ(jobs[0].at("job"), "job");
    EXPECT_EQ(jobs[0].at("provider"), "twilio");
    EXPECT_EQ(jobs[0].at("people"), 1);
}

TEST_F(AdminTest, ShowsMessagesAndCallsWithoutCredentials) {
    send(sms("15558675310"));
    send(sms("1"));
    EXPECT_THAT(admin("GET", "/oracle/messages", "address=%2B15558675310&job=job"),
                HasSubstr(R"("Body":"Hi")"));
    EXPECT_EQ(admin("GET", "/oracle/messages", "address=%2B15558675399"), "[]");
    const auto calls = admin("GET", "/oracle/calls", "limit=5");
    EXPECT_THAT(calls, HasSubstr("Basic ***"));
    EXPECT_THAT(calls, Not(HasSubstr("QUMw")));
    EXPECT_EQ(boost::json::parse(calls).as_array().size(), 2U);
}

TEST_F(AdminTest, LogsReferencesOfWhatWasAcceptedAndNoAddress) {
    send(sms("15558675310", "job.1.0.tag"));
    send(sms("15558675310", "job.1.0.tag"));
    send(sms("1", "job.1.1.tag"));  // No number: refused.
    send(sms("15558675311", "other.1.0.tag"));
    send(sms("15558675312", "job,\"odd"));
    EXPECT_EQ(admin("GET", "/oracle/log", "provider=twilio&job=job"),
              "provider,reference,person\ntwilio,job.1.0.tag,\ntwilio,job.1.0.tag,\n"
              "twilio,\"job,\"\"odd\",\n");
    EXPECT_THAT(admin("GET", "/oracle/log"), HasSubstr("twilio,other.1.0.tag,\n"));
    EXPECT_EQ(admin("GET", "/oracle/log", "provider=mailgun"), "provider,reference,person\n");
    admin("GET", "/oracle/log", "provider=nobody");
    EXPECT_EQ(status_, 400);
}

TEST_F(AdminTest, ResetForgets) {
    send(sms("15558675310"));
    admin("POST", "/oracle/reset");
    EXPECT_EQ(summary().at("accepted"), 0);
    EXPECT_EQ(admin("GET", "/oracle/accepted"), "");
    EXPECT_EQ(admin("GET", "/oracle/jobs"), "[]");
}

TEST_F(AdminTest, AResetEndsAListing) {
    send(sms("15558675310"));
    Reaction reaction;
    admin_.handle(
        {.method = "GET", .path = "/oracle/accepted", .query = {}, .headers = {}, .body = {}},
        reaction);
    admin("POST", "/oracle/reset");
    std::string out;
    EXPECT_FALSE(reaction.answer.more(out));
    EXPECT_EQ(out, "");
}

TEST_F(AdminTest, WrongControlChangesNothing) {
    admin("POST", "/control", "", R"({"twilio":{"latency_ms":7},"nobody":{}})");
    EXPECT_EQ(status_, 400);
    admin("POST", "/control", "", "nonsense");
    EXPECT_EQ(status_, 400);
    EXPECT_THAT(admin("GET", "/control"), Not(HasSubstr("\"latency_ms\":7")));
    admin("POST", "/control", "", R"({"*":{"latency_ms":7}})");
    EXPECT_THAT(admin("GET", "/control"), HasSubstr("\"latency_ms\":7"));
}

TEST_F(AdminTest, MetricsAndHealth) {
    send(sms("15558675310"));
    EXPECT_THAT(admin("GET", "/metrics"),
                HasSubstr("fanfare_sim_requests_total{provider=\"twilio\",code=\"201\"} 1\n"));
    admin("GET", "/healthz");
    EXPECT_EQ(status_, 200);
    admin("GET", "/nothing");
    EXPECT_EQ(status_, 404);
    admin("GET", "/oracle/reset");
    EXPECT_EQ(status_, 405);
}

}  // namespace
}  // namespace fanfare::sim
