// What a trace tells of a chunk and of the calls of its provider.
#include "worker/send/spans.hpp"

#include "tests/support/http_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace fanfare {
namespace {

namespace json = boost::json;
using test::HttpServer;
using test::Line;
using ::testing::HasSubstr;
using ::testing::Not;

/// Its calendar stands, and is nobody else's; the tracer's waits go by the machine's time.
class StandingCalendar final : public Clock {
public:
    [[nodiscard]] TimePoint now() const noexcept override {
        return TimePoint{std::chrono::hours{400'000}};
    }
    [[nodiscard]] SteadyTime steady_now() const noexcept override {
        return system_clock().steady_now();
    }
};

class SpansTest : public ::testing::Test {
protected:
    SpansTest() {
        ObserveSettings settings;
        settings.otlp = server.url("");
        tracer = Tracer::open(settings, {"fanfare-worker", "1", "w1"}, clock);
        auto context = std::make_shared<JobContext>();
        context->trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        claim.job = context;
        claim.key = {"j", Channel::email, 3};
        people.outcomes = std::string(3, static_cast<char>(Outcome::sent));
        people.outcomes[1] = static_cast<char>(Outcome::failed);
        account.name = "mail";
        account.type = "smtp";
    }
    /// Attributes of the spans, by span; with "span" and "parent".
    json::array told() {
        tracer->finish(std::chrono::seconds{60});
        json::array all;
        for (const auto& request : server.requests()) {
            const auto body = test::body_of(request);
            const auto document = json::parse({body.data(), body.size()});
            for (const auto& span :
                 document.at_pointer("/resourceSpans/0/scopeSpans/0/spans").as_array()) {
                all.push_back(span);
            }
        }
        return all;
    }
    static bool has_failed(const json::value& span) {
        return span.at("status").as_object().contains("code");
    }
    static std::chrono::nanoseconds length(const json::value& span) {
        const auto moment = [&span](std::string_view name) {
            return std::stoll(std::string{span.at(name).as_string()});
        };
        return std::chrono::nanoseconds{moment("endTimeUnixNano") - moment("startTimeUnixNano")};
    }
    static std::string attribute(const json::value& span, std::string_view name) {
        for (const auto& one : span.at("attributes").as_array()) {
            if (one.at("key").as_string() != json::string_view{name.data(), name.size()}) continue;
            const auto& value = one.at("value").as_object().begin()->value();
            return std::string{value.as_string()};
        }
        return "";
    }

    StandingCalendar clock;
    HttpServer server{[](Line& line, int) {
        while (line.read_request()) line.write(HttpServer::answer(200, "{}"));
    }};
    std::unique_ptr<Tracer> tracer;
    Claim claim;
    ledger::ChunkPeople people;
    AccountSettings account;
};

TEST_F(SpansTest, ACallIsBelowItsChunkAndTellsHowItWasAnswered) {
    ChunkSpan span{tracer.get(), claim, 3, std::chrono::seconds{2}};
    ASSERT_TRUE(span.is_wanted());
    HttpAnswer mail;
    mail.transport = Transport::answered;
    mail.step = MailStep::recipient;
    mail.status = 550;
    mail.body = "550 no such user ana@example.com";
    BatchAnswer refused;
    refused.verdict = Verdict::perm_req;
    refused.detail = "550 ana@example.com";
    span.tell_request(account, 1, mail, refused);
    HttpAnswer lost;
    lost.transport = Transport::in_doubt;
    span.tell_request(account, 2, lost, BatchAnswer{});
    HttpAnswer taken;
    taken.transport = Transport::answered;
    taken.status = 202;
    taken.elapsed = std::chrono::seconds{1};
    BatchAnswer ok;
    ok.verdict = Verdict::ok;
    span.tell_request(account, 3, taken, ok);
    span.end(people, account);
    EXPECT_FALSE(span.is_wanted());
    const auto spans = told();
    ASSERT_EQ(spans.size(), 4U);
    const auto& chunk = spans[3];
    EXPECT_EQ(chunk.at("parentSpanId").as_string(), "00f067aa0ba902b7");
    EXPECT_EQ(attribute(chunk, "fanfare.outcome.sent"), "2");
    EXPECT_EQ(attribute(chunk, "fanfare.outcome.failed"), "1");
    EXPECT_EQ(attribute(chunk, "fanfare.chunk"), "3");
    EXPECT_EQ(attribute(chunk, "fanfare.account"), "mail");
    EXPECT_FALSE(has_failed(chunk));
    EXPECT_EQ(length(chunk), std::chrono::seconds{2}) << "by one clock, whatever the ledger's";
    EXPECT_EQ(length(spans[2]), std::chrono::seconds{1});
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(spans[i].at("parentSpanId"), chunk.at("spanId"));
        EXPECT_EQ(attribute(spans[i], "fanfare.recipients"), std::to_string(i + 1));
        EXPECT_EQ(has_failed(spans[i]), i < 2) << "what failed";
    }
    EXPECT_EQ(attribute(spans[0], "fanfare.smtp.status"), "550");
    EXPECT_EQ(attribute(spans[0], "http.response.status_code"), "");
    EXPECT_EQ(attribute(spans[1], "http.response.status_code"), "") << "nobody answered";
    EXPECT_EQ(attribute(spans[2], "http.response.status_code"), "202");
    for (const auto& request : server.requests()) EXPECT_THAT(request, Not(HasSubstr("ana")));
}

TEST_F(SpansTest, OfAChunkThatIsSomebodyElsesTheSpanHasFailed) {
    ChunkSpan lost{tracer.get(), claim, 3, {}};
    lost.lose();
    lost.end(people, account);
    ChunkSpan kept{tracer.get(), claim, 3, {}};
    kept.end(people, account);
    const auto spans = told();
    ASSERT_EQ(spans.size(), 2U);
    EXPECT_TRUE(has_failed(spans[0]));
    EXPECT_FALSE(has_failed(spans[1]));
}

TEST_F(SpansTest, ThereAreNoneWithoutATracer) {
    EXPECT_FALSE((ChunkSpan{nullptr, claim, 3, {}}.is_wanted()));
}

TEST_F(SpansTest, WhoseTraceNobodyWantsHasNone) {
    for (const std::string trace :
         {"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}) {
        auto context = std::make_shared<JobContext>();
        context->trace = trace;
        claim.job = context;
        ChunkSpan span{tracer.get(), claim, 3, {}};
        EXPECT_FALSE(span.is_wanted());
        span.lose();
        span.end(people, account);
    }
    EXPECT_TRUE(told().empty());
}

}  // namespace
}  // namespace fanfare
