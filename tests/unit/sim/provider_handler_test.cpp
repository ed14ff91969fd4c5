#include "tests/unit/sim/provider_handler_case.hpp"

#include <gmock/gmock.h>

namespace fanfare::sim {
namespace {

class ProviderHandlerTest : public ProviderHandlerCase {};

TEST_F(ProviderHandlerTest, CountsAPersonOncePerJob) {
    EXPECT_EQ(send(sms("15558675310", "job.1")).answer.status, 201);
    send(sms("15558675310", "job.2"));
    send(sms("15558675311", "job.2"));
    send(sms("15558675310", "other.1"));
    const auto all = summary();
    EXPECT_EQ(all.at("accepted"), 4);
    EXPECT_EQ(all.at("people"), 3);
    EXPECT_EQ(all.at("duplicated"), 1);
    EXPECT_EQ(all.at("extra"), 1);
    EXPECT_EQ(summary("job=job").at("people"), 2);
    EXPECT_EQ(summary("job=none").at("people"), 0);
}

TEST_F(ProviderHandlerTest, AnUnknownPathIs404) {
    EXPECT_EQ(send({.path = "/nothing", .headers = {}, .body = {}}).answer.status, 404);
}

TEST_F(ProviderHandlerTest, BadRequestsAreNotAccepted) {
    EXPECT_EQ(send(sms("1")).answer.status, 400);
    EXPECT_EQ(summary().at("bad_requests"), 1);
    EXPECT_EQ(summary().at("accepted"), 0);
}

TEST_F(ProviderHandlerTest, ScriptedFates) {
    control(
        R"({"script":["lose_before","lose_after","throttle","error","malformed","blackhole"]})");
    EXPECT_EQ(send(sms("15558675310")).action, Reaction::Action::drop);
    EXPECT_EQ(summary().at("accepted"), 0);
    EXPECT_EQ(send(sms("15558675310")).action, Reaction::Action::drop);
    EXPECT_EQ(summary().at("accepted"), 1);
    EXPECT_EQ(send(sms("15558675311")).answer.status, 429);
    EXPECT_EQ(send(sms("15558675311")).answer.status, 503);
    EXPECT_EQ(send(sms("15558675311")).answer.status, 201);
    EXPECT_THROW(std::ignore = boost::json::parse(reaction_.answer.body), std::exception);
    EXPECT_EQ(send(sms("15558675312")).action, Reaction::Action::silence);
    EXPECT_EQ(send(sms("15558675313")).answer.status, 201);
    const auto all = summary();
    EXPECT_EQ(all.at("accepted"), 4);
    EXPECT_EQ(all.at("lost_before"), 1);
    EXPECT_EQ(all.at("lost_after"), 1);
    EXPECT_EQ(all.at("throttled"), 1);
    EXPECT_EQ(all.at("errors"), 1);
    EXPECT_EQ(all.at("malformed"), 1);
    EXPECT_EQ(all.at("blackholed"), 1);
}

TEST_F(ProviderHandlerTest, AGatewayAnswersWhatTheProviderTook) {
    control(R"({"script":["error_after","error_after","accept"]})");
    EXPECT_EQ(send(sms("15558675310")).answer.status, 502);
    EXPECT_EQ(reaction_.answer.type, "text/html");
    EXPECT_THAT(reaction_.answer.body, testing::StartsWith("<html>"));
    EXPECT_THAT(reaction_.answer.headers, testing::IsEmpty()) << "nothing of it is the provider's";
    EXPECT_EQ(summary().at("accepted"), 1);
    EXPECT_EQ(summary().at("errors_after"), 1);
    EXPECT_EQ(summary().at("errors"), 0);
    control(R"({"error_status":504})");
    EXPECT_EQ(send(sms("15558675311")).answer.status, 504);
    EXPECT_EQ(send(sms("15558675312")).answer.status, 201);
    EXPECT_EQ(summary().at("accepted"), 3);
}

TEST_F(ProviderHandlerTest, ListedAddressesAlwaysFail) {
    control(R"({"fail_addresses":{"+15558675310":"21610"}})");
    EXPECT_EQ(send(sms("15558675310")).answer.status, 400);
    EXPECT_THAT(reaction_.answer.body, testing::HasSubstr("21610"));
    EXPECT_EQ(send(sms("15558675311")).answer.status, 201);
    EXPECT_EQ(summary().at("refused"), 1);
}

TEST_F(ProviderHandlerTest, ARefusedAddressStaysRefused) {
    control(R"({"refuse_rate":0.5})");
    int refused = 0;
    for (int i = 0; i < 200; ++i) {
        const auto to = std::to_string(15'550'000'000 + i);
        const auto first = send(sms(to)).answer.status;
        EXPECT_EQ(send(sms(to)).answer.status, first);
        refused += first == 400 ? 1 : 0;
    }
    EXPECT_NEAR(refused, 100, 30);
}

TEST_F(ProviderHandlerTest, LimitsByRate) {
    control(R"({"limit_per_second":10,"limit_burst":10})");
    for (int i = 0; i < 10; ++i) EXPECT_EQ(send(sms("15558675310")).answer.status, 201);
    EXPECT_EQ(send(sms("15558675310")).answer.status, 429);
    clock_.advance(std::chrono::milliseconds{100});
    EXPECT_EQ(send(sms("15558675310")).answer.status, 201);
    EXPECT_EQ(summary().at("violations"), 1);
    EXPECT_EQ(summary().at("max_requests_per_second"), 12);
}

TEST_F(ProviderHandlerTest, LimitsByConcurrency) {
    control(R"({"concurrency_limit":1,"script":["blackhole"]})");
    send(sms("15558675310"));  // Stays open.
    EXPECT_EQ(send(sms("15558675311")).answer.status, 429);
    handler_.ended(reaction_.ticket);
    EXPECT_EQ(send(sms("15558675311")).answer.status, 201);
    EXPECT_EQ(summary().at("max_concurrent"), 2);
}

TEST_F(ProviderHandlerTest, HoldParksUntilRelease) {
    admin("POST", "/control/hold");
    EXPECT_EQ(send(sms("15558675310")).action, Reaction::Action::park);
    EXPECT_EQ(summary().at("requests"), 0);
    int resumed = 0;
    handler_.park(reaction_.ticket, [&] { ++resumed; });
    EXPECT_EQ(resumed, 0);
    admin("POST", "/control/release");
    EXPECT_EQ(resumed, 1);
    handler_.park(reaction_.ticket, [&] { ++resumed; });  // Came too late to be held.
    EXPECT_EQ(resumed, 2);
    EXPECT_EQ(send(sms("15558675310")).answer.status, 201);
}

TEST_F(ProviderHandlerTest, LatencyDelaysTheAnswerNotTheAcceptance) {
    control(R"({"latency_ms":20,"jitter_ms":10})");
    const auto delay = send(sms("15558675310")).delay;
    EXPECT_GE(delay, std::chrono::milliseconds{20});
    EXPECT_LE(delay, std::chrono::milliseconds{30});
    EXPECT_EQ(summary().at("accepted"), 1);
}

}  // namespace
}  // namespace fanfare::sim
