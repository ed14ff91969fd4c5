// Spans on their way to a collector: in batches, never waited for, and dropped where it must be.
#include "core/tracing/tracer.hpp"

#include "tests/support/http_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <condition_variable>
#include <set>

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::HttpServer;
using test::Line;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const std::string came = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const std::string unwanted = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
constexpr auto patience = 60s;  // Never waited for where all is well.

/// A moment that one thread awaits of another.
class Gate {
public:
    void open() {
        const std::lock_guard guard{mutex_};
        is_open_ = true;
        changed_.notify_all();
    }
    void await() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return is_open_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_open_ = false;
};

/// Answers the first requests by these, all later ones with 200.
HttpServer::Script answers(std::vector<std::string> first) {
    auto left = std::make_shared<std::deque<std::string>>(first.begin(), first.end());
    return [left](Line& line, int) {
        while (line.read_request()) {
            std::string answer = HttpServer::answer(200, "{}");
            if (!left->empty()) {
                answer = left->front();
                left->pop_front();
            }
            line.write(answer);
        }
    };
}

std::string base_of(const HttpServer& server) { return server.url(""); }

std::unique_ptr<Tracer> tracer_to(const std::string& url, Tracer::Bounds bounds, double ratio = 1,
                                  std::chrono::milliseconds every = 1ms) {
    ObserveSettings settings;
    settings.otlp = url;
    settings.trace_ratio = ratio;
    bounds.every = every;
    bounds.first_wait = 1ms;
    return std::make_unique<Tracer>(settings, SpanSource{"fanfare-test", "1", "t1"}, system_clock(),
                                    bounds);
}

void end_spans(Tracer& tracer, int count) {
    for (int i = 0; i < count; ++i) {
        tracer.end(*tracer.in(came, "plan", Span::Kind::internal));
    }
}

std::size_t spans_in(const HttpServer& server) {
    std::set<std::string> ids;
    for (const auto& request : server.requests()) {
        const auto body = test::body_of(request);
        const auto document = boost::json::parse({body.data(), body.size()});
        for (const auto& span :
             document.at_pointer("/resourceSpans/0/scopeSpans/0/spans").as_array()) {
            ids.emplace(span.at("spanId").as_string());
        }
    }
    return ids.size();
}

TEST(TracerTest, SpansReachTheCollectorBeforeTheEnd) {
    const HttpServer server{answers({})};
    auto tracer = tracer_to(base_of(server) + "/", {.batch_max = 2});
    end_spans(*tracer, 5);
    tracer->finish(patience);
    EXPECT_EQ(tracer->exported(), 5U);
    EXPECT_EQ(tracer->dropped(), 0U);
    EXPECT_EQ(spans_in(server), 5U);
    EXPECT_GE(server.requests().size(), 3U) << "at most two a request";
    EXPECT_THAT(server.requests().front(), HasSubstr("POST /v1/traces HTTP/1.1\r\n"));
    EXPECT_THAT(server.requests().front(), HasSubstr("Content-Type: application/json\r\n"));
    end_spans(*tracer, 1);
    EXPECT_EQ(tracer->dropped(), 1U) << "it is over";
}

TEST(TracerTest, WhatACollectorRejectsOfARequestIsDropped) {
    const std::vector<std::pair<std::string, std::uint64_t>> said{
        {R"({"partialSuccess": {"rejectedSpans": "2", "errorMessage": "too old"}})", 2},
        {R"({"partialSuccess": {"rejectedSpans": 1}})", 1},
        {R"({"partialSuccess": {"rejectedSpans": "99"}})", 3},
        {R"({"partialSuccess": {"rejectedSpans": -1}})", 0},
        {R"({"partialSuccess": {}})", 0},
        {R"({"partialSuccess": null})", 0},
        {"no JSON", 0},
        {"", 0},
    };
    for (const auto& [body, rejected] : said) {
        const HttpServer server{answers({HttpServer::answer(200, body)})};
        auto tracer = tracer_to(base_of(server), {}, 1, 60s);
        end_spans(*tracer, 3);
        tracer->finish(patience);
        EXPECT_EQ(tracer->dropped(), rejected) << body;
        EXPECT_EQ(tracer->exported(), 3 - rejected) << body;
    }
}

TEST(TracerTest, ACollectorThatIsBusyIsAskedAgain) {
    for (const int status : {429, 502, 503, 504}) {
        const HttpServer server{answers({HttpServer::answer(status, "", "Retry-After: 0\r\n")})};
        auto tracer = tracer_to(base_of(server), {});
        end_spans(*tracer, 1);
        tracer->finish(patience);
        EXPECT_EQ(tracer->exported(), 1U) << status;
        EXPECT_THAT(server.requests(), SizeIs(2)) << status;
    }
}

TEST(TracerTest, ACollectorThatRefusesIsNotAskedAgain) {
    for (const int status : {301, 400, 401, 404, 500}) {
        const HttpServer server{answers({HttpServer::answer(status, "")})};
        auto tracer = tracer_to(base_of(server), {});
        end_spans(*tracer, 1);
        tracer->finish(patience);
        EXPECT_EQ(tracer->dropped(), 1U) << status;
        EXPECT_EQ(tracer->exported(), 0U) << status;
        EXPECT_THAT(server.requests(), SizeIs(1)) << status;
    }
}

TEST(TracerTest, ItIsAskedAFewTimesAndNoLongerThanThereIsTime) {
    const std::string busy = HttpServer::answer(503, "");
    const HttpServer server{answers({busy, busy, busy, busy})};
    auto tracer = tracer_to(base_of(server), {.tries_max = 3});
    end_spans(*tracer, 1);
    tracer->finish(patience);
    EXPECT_THAT(server.requests(), SizeIs(3));
    EXPECT_EQ(tracer->dropped(), 1U);
    const HttpServer patient{answers({HttpServer::answer(503, "", "Retry-After: 20\r\n")})};
    auto hurried = tracer_to(base_of(patient), {});
    end_spans(*hurried, 1);
    hurried->finish(10s);
    EXPECT_THAT(patient.requests(), SizeIs(1)) << "it would come back after the end";
    EXPECT_EQ(hurried->dropped(), 1U);
}

TEST(TracerTest, WhatDoesNotFitIsDroppedAndNobodyWaits) {
    Gate arrived;
    Gate released;
    const HttpServer server{[&](Line& line, int) {
        while (line.read_request()) {
            arrived.open();
            released.await();
            line.write(HttpServer::answer(200, "{}"));
        }
    }};
    auto tracer = tracer_to(base_of(server), {.queue_max = 2, .batch_max = 1, .timeout = 60s});
    end_spans(*tracer, 1);
    arrived.await();
    end_spans(*tracer, 5);
    EXPECT_EQ(tracer->dropped(), 3U) << "two wait, one is on its way";
    released.open();
    tracer->finish(patience);
    EXPECT_EQ(tracer->exported(), 3U);
    EXPECT_EQ(tracer->dropped(), 3U);
}

TEST(TracerTest, ACollectorThatKeepsSilentHoldsNobodyUp) {
    const HttpServer server{[](Line& line, int) {
        static_cast<void>(line.read_request());
        line.wait_for_close();
    }};
    auto tracer = tracer_to(base_of(server), {.batch_max = 1, .timeout = 60s});
    end_spans(*tracer, 3);
    tracer->finish(50ms);
    EXPECT_EQ(tracer->dropped(), 3U);
    auto at_once = tracer_to(base_of(server), {.timeout = 60s});
    end_spans(*at_once, 1);
    at_once.reset();
}

TEST(TracerTest, WhereNobodyAnswersTheSpansAreDropped) {
    auto tracer = tracer_to("http://127.0.0.1:1", {.tries_max = 2});
    end_spans(*tracer, 2);
    tracer->finish(patience);
    EXPECT_EQ(tracer->dropped(), 2U);
}

TEST(TracerTest, ATraceThatCameIsGoneOnWithAsItsSenderWants) {
    auto tracer = tracer_to("http://127.0.0.1:1", {}, 0);
    const auto wanted = begin_span(tracer.get(), came + " a=1", "plan", Span::Kind::internal);
    ASSERT_TRUE(wanted.span);
    EXPECT_EQ(to_hex(wanted.span->trace), "4bf92f3577b34da6a3ce929d0e0e4736");
    EXPECT_EQ(to_hex(wanted.span->parent), "00f067aa0ba902b7");
    EXPECT_EQ(decode_trace(wanted.trace), inside(*wanted.span)) << "what follows is below it";
    EXPECT_TRUE(wanted.trace.ends_with("-01 a=1"));
    const auto not_wanted = begin_span(tracer.get(), unwanted, "plan", Span::Kind::internal);
    EXPECT_FALSE(not_wanted.span);
    EXPECT_EQ(not_wanted.trace, unwanted);
    EXPECT_FALSE(span_in(tracer.get(), unwanted, "plan", Span::Kind::internal));
    EXPECT_FALSE(span_in(tracer.get(), "", "plan", Span::Kind::internal));
}

TEST(TracerTest, ATraceBeginsWhereNoneCameAndGivesSpansAsOftenAsWasSet) {
    auto all = tracer_to("http://127.0.0.1:1", {});
    for (const std::string bad : {"", "00-rubbish"}) {
        const auto begun = begin_span(all.get(), bad, "schedule", Span::Kind::producer);
        ASSERT_TRUE(begun.span);
        EXPECT_EQ(begun.span->parent, SpanId{});
        EXPECT_EQ(decode_trace(begun.trace), inside(*begun.span));
    }
    auto none = tracer_to("http://127.0.0.1:1", {}, 0);
    const auto begun = none->begin("schedule", Span::Kind::producer);
    EXPECT_FALSE(begun.span);
    EXPECT_FALSE(decode_trace(begun.trace)->sampled) << "and nobody after it gives any";
}

TEST(TracerTest, WithoutACollectorThereIsNone) {
    EXPECT_EQ(Tracer::open({}, {}, system_clock()), nullptr);
    const auto passed_on = begin_span(nullptr, came, "plan", Span::Kind::internal);
    EXPECT_FALSE(passed_on.span);
    EXPECT_EQ(passed_on.trace, came);
    EXPECT_EQ(begin_span(nullptr, "", "plan", Span::Kind::internal).trace, "");
    EXPECT_FALSE(span_in(nullptr, came, "plan", Span::Kind::internal));
    Families families;
    append_spans(families, nullptr);
    EXPECT_THAT(families, SizeIs(2)) << "there from the start";
}

}  // namespace
}  // namespace fanfare
