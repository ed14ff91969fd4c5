// How often the heap is touched for one recipient more, step by step. What a chunk or a connection
// takes once does not count: each figure is what twice as many take beyond what half of them do.
// A bound is what it takes today; who lowers one writes it down here.
#include "core/clock/virtual_time.hpp"
#include "core/http/h1_client.hpp"
#include "core/http/h2_client.hpp"
#include "core/postgres/array.hpp"
#include "tests/contract/accounts.hpp"
#include "tests/support/coroutines.hpp"
#include "tests/unit/allocations/counted_new.hpp"
#include "tests/unit/core/http2_case.hpp"
#include "worker/send/boarding.hpp"
#include "worker/send/composed_requests.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using test::allocations;

/// Of what `work(count)` takes from the heap, so much for one more.
template <class Work>
double for_one_more(std::size_t count, Work work) {
    const auto taken_by = [&work](std::size_t some) {
        const auto before = allocations();
        work(some);
        return static_cast<double>(allocations() - before);
    };
    // Threads' buffers, tables of locales and room for bodies are there from now on.
    for (int i = 0; i < 4; ++i) taken_by(2 * count);
    const auto half = taken_by(count);
    return (taken_by(2 * count) - half) / static_cast<double>(count);
}

constexpr double a_request = 0.05;  // What a request takes, for hundreds of people.

struct Composing {
    const char* provider;
    AccountSettings (*account)();
    Channel channel;
    double bound;
};

void PrintTo(const Composing& one, std::ostream* out) { *out << one.provider; }

class ComposingAllocations : public ::testing::TestWithParam<Composing> {
protected:
    ComposingAllocations() {
        const std::vector<TemplateSource> sources{
            {"sale/sms.text.mustache", "Hello {{name}}, the show begins."},
            {"sale/email.subject.mustache", "Hello {{name}}"},
            {"sale/email.html.mustache", "<p>Hello {{name}}</p>"},
            {"sale/email.text.mustache", "Hello {{name}}"},
            {"sale/push.title.mustache", "Hello {{name}}"},
            {"sale/push.body.mustache", "The show begins."}};
        auto parsed = Templates::parse(sources, "/etc/fanfare/templates");
        job->templates = std::move(std::get<Templates>(parsed));
        kind.templates = "sale";
        kind.person_defaults = {{"name", "friend"}};
        job->kind = &kind;
        job->job.id = "0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11";
        claim.key = {job->job.id, GetParam().channel, 7};
        claim.job = job;
    }
    [[nodiscard]] std::string address(std::size_t number) const {
        switch (GetParam().channel) {
            case Channel::email:
                return fmt::format("person{:07}@example.com", number);
            case Channel::sms:
                return fmt::format("+1555{:07}", number);
            case Channel::push:
                break;
        }
        return fmt::format("{:064x}", number);
    }
    void compose(const Provider& provider, std::size_t count) {
        const ComposeContext context{provider, references, provider.batch_max(),
                                     testing::test_clock().now()};
        ledger::ChunkPeople people;
        Resolved resolved;
        // What is known of people is the ledger's and the contacts' rows: one array, one result.
        people.recipients.elements.assign(known.begin(),
                                          known.begin() + static_cast<std::ptrdiff_t>(count));
        people.outcomes.assign(count, '\0');
        resolved.targets.reserve(count);
        for (std::uint32_t i = 0; i < count; ++i) resolved.targets.push_back({i, 0, known[i]});
        ComposedRequests requests;
        requests.spare = spare.take();
        ASSERT_TRUE(compose_requests(claim, people, resolved, context, requests).has_value());
        ASSERT_FALSE(requests.requests.empty());
        spare.give_back(requests);
    }

    std::shared_ptr<JobContext> job = std::make_shared<JobContext>();
    Kind kind;
    Claim claim;
    SpareRequests spare;
    References references{Secret{"a key of thirty-two bytes or more"}};
    std::vector<std::string> known;
};

TEST_P(ComposingAllocations, StayWithinTheirBound) {
    const auto provider = testing::open(GetParam().account());
    constexpr std::size_t people = SpareRequests::requests_max / 4;
    for (std::size_t i = 0; i < 2 * people; ++i) known.push_back(address(i));
    const auto taken = for_one_more(people, [&](std::size_t count) { compose(*provider, count); });
    EXPECT_LE(taken, GetParam().bound);
    RecordProperty("allocations", fmt::format("{:.2f}", taken));
}

INSTANTIATE_TEST_SUITE_P(
    Providers, ComposingAllocations,
    ::testing::Values(Composing{"mailgun", testing::mailgun_account, Channel::email, a_request},
                      Composing{"sendgrid", testing::sendgrid_account, Channel::email, a_request},
                      // The signature of a request, for fifty people.
                      Composing{"ses", testing::ses_account, Channel::email, 1},
                      // A mail each, with parts of its own.
                      Composing{"smtp", testing::smtp_account, Channel::email, 14},
                      Composing{"twilio", testing::twilio_account, Channel::sms, 0},
                      // The reference that its receipts carry.
                      Composing{"vonage", testing::vonage_account, Channel::sms, 1},
                      Composing{"vonage_messages", testing::vonage_messages_account, Channel::sms,
                                0},
                      Composing{"fcm", testing::fcm_account, Channel::push, 0},
                      Composing{"apns", testing::apns_account, Channel::push, 0}),
    [](const auto& one) { return std::string{one.param.provider}; });

/// Several at a time on connections that are open.
double of_exchanges(asio::io_context& context, HttpClient& http, const HttpRequest& request) {
    constexpr std::size_t exchanges = 400;
    constexpr std::size_t at_once = 20;
    struct Sending {
        asio::io_context& context;
        HttpClient& http;
        const HttpRequest& request;
        std::size_t unsent = 0;
        std::size_t open = 0;

        void send() {
            --unsent, ++open;
            http.start(request, [this](const HttpAnswer& answer) {
                EXPECT_EQ(answer.status, 200);
                --open;
                if (unsent > 0) return send();
                if (open == 0) context.stop();
            });
        }
    };
    return for_one_more(exchanges, [&](std::size_t count) {
        Sending sending{context, http, request, count};
        while (sending.open < at_once) sending.send();
        context.restart();
        context.run();
    });
}

class H1Allocations : public test::HttpTest {};

TEST_F(H1Allocations, OfAnExchange) {
    test::HttpServer server{test::answer_all};
    const auto http = make_h1_client(context.get_executor(), options, system_clock());
    const HttpRequest request{server.url(), {"Content-Type: text/plain"}, "hello"};
    EXPECT_LE(of_exchanges(context, *http, request), 0);
}

class H2Allocations : public test::Http2Case {};

TEST_F(H2Allocations, OfAnExchange) {
    test::H2Server server{test::echo_all};
    trust(server);
    // What ended is told together: one list for all that one reading of the socket brought.
    EXPECT_LE(of_exchanges(context, http(), request_to(server)), 1);
}

asio::awaitable<void> depart(Boarding& boarding, Permits& permits, std::size_t count) {
    auto chunk = boarding.arrive(false);
    for (std::size_t i = 0; i < count; ++i) {
        permits.take(1);
        ++chunk.permits;
        const bool may_begin = co_await boarding.depart(chunk);
        EXPECT_TRUE(may_begin);
        boarding.end(chunk);
    }
}

TEST(BoardingAllocations, OfADeparture) {
    asio::io_context context{1};
    ManualClock clock{TimePoint{}};
    Permits permits{8};
    Breaker breaker;
    Boarding boarding{{context.get_executor(), permits, breaker, clock, [] { return false; }}};
    EXPECT_LE(
        for_one_more(
            100, [&](std::size_t count) { test::run(context, depart(boarding, permits, count)); }),
        0);
}

}  // namespace
}  // namespace fanfare
