// How often the heap is touched for one recipient more, step by step. What a chunk or a connection
// takes once does not count (for_one_more()).
// A bound is what it takes today; who lowers one writes it down here.
#include "core/clock/virtual_time.hpp"
#include "core/http/h1_client.hpp"
#include "core/http/h2_client.hpp"
#include "core/ledger/address_forms.hpp"
#include "tests/contract/accounts.hpp"
#include "tests/support/coroutines.hpp"
#include "tests/unit/allocations/chunk_case.hpp"
#include "tests/unit/allocations/counted_new.hpp"
#include "tests/unit/core/http2_case.hpp"
#include "worker/send/boarding.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using test::for_one_more;

constexpr double a_request = 0.05;  // What a request takes, for hundreds of people.

struct Composing {
    const char* provider;
    AccountSettings (*account)();
    Channel channel;
    double bound;
};

void PrintTo(const Composing& one, std::ostream* out) { *out << one.provider; }

class ComposingAllocations : public ::testing::TestWithParam<Composing> {};

TEST_P(ComposingAllocations, StayWithinTheirBound) {
    const auto provider = testing::open(GetParam().account());
    constexpr std::size_t half = SpareRequests::requests_max / 2;
    const test::ChunkCase chunk{GetParam().channel, 2 * half};
    SpareRequests spare;
    const auto taken = for_one_more(half, [&](std::size_t count) {
        ledger::ChunkPeople people;
        Resolved resolved;
        chunk.fill(count, people, resolved);
        ComposedRequests requests;
        requests.spare = spare.take();
        chunk.compose(*provider, people, resolved, requests);
        spare.give_back(requests);
    });
    EXPECT_LE(taken, GetParam().bound);
    RecordProperty("allocations", fmt::format("{:.2f}", taken));
}

INSTANTIATE_TEST_SUITE_P(
    Providers, ComposingAllocations,
    ::testing::Values(Composing{"mailgun", testing::mailgun_account, Channel::email, a_request},
                      Composing{"sendgrid", testing::sendgrid_account, Channel::email, a_request},
                      // The signature of a request, for fifty people.
                      Composing{"ses", testing::ses_account, Channel::email, 1},
                      // A mail each, with its link to unsubscribe.
                      Composing{"smtp", testing::smtp_account, Channel::email, 2},
                      Composing{"twilio", testing::twilio_account, Channel::sms, 0},
                      Composing{"vonage", testing::vonage_account, Channel::sms, 0},
                      Composing{"vonage_messages", testing::vonage_messages_account, Channel::sms,
                                0},
                      Composing{"fcm", testing::fcm_account, Channel::push, 0},
                      Composing{"apns", testing::apns_account, Channel::push, 0}),
    [](const auto& one) { return std::string{one.param.provider}; });

struct Addressing {
    Channel channel;
    const char* address;
};

class AddressAllocations : public ::testing::TestWithParam<Addressing> {};

/// As contacts' rows are read and the ledger is asked about them.
TEST_P(AddressAllocations, OfReadingAndComparing) {
    const auto [channel, address] = GetParam();
    std::string sent;
    ledger::AddressForms forms{channel};
    const auto taken = for_one_more(100, [&](std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            EXPECT_EQ(read_address(channel, address, sent), AddressFault::none);
            EXPECT_GE(forms.of(sent).size(), 1U);
        }
    });
    EXPECT_LE(taken, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Addresses, AddressAllocations,
    ::testing::Values(Addressing{Channel::email, "Wanda.Kowalska@shows.example.com"},
                      Addressing{Channel::sms, "+15550100001"},
                      Addressing{Channel::push, "fcm-token:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx"}),
    [](const auto& one) { return std::string{to_string(one.param.channel)}; });

// What providers answer is longer than a string holds without the heap.
const std::string answer_body(400, 'x');
constexpr auto answer_date = "Thu, 01 Jan 2026 00:00:00 GMT";

// None, but for timers and for lists that grow to as many as ever end together.
constexpr double exchange_bound = 0.1;

/// Several at a time on connections that are open.
double of_exchanges(asio::io_context& context, HttpClient& http, const HttpRequest& request) {
    constexpr std::size_t exchanges = 100;
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
    test::HttpServer server{[](test::Line& line, int) {
        const auto date = fmt::format("Date: {}\r\n", answer_date);
        while (line.read_request()) line.write(test::HttpServer::answer(200, answer_body, date));
    }};
    const auto http = make_h1_client(context.get_executor(), options, system_clock());
    const HttpRequest request{server.url(), {"Content-Type: text/plain"}, "hello"};
    const auto taken = of_exchanges(context, *http, request);
    EXPECT_LE(taken, exchange_bound);
    RecordProperty("allocations", fmt::format("{:.2f}", taken));
}

class H2Allocations : public test::Http2Case {};

TEST_F(H2Allocations, OfAnExchange) {
    test::H2Server server{[](test::H2Line& line, int) {
        while (const auto request = line.read_request()) {
            line.answer(request->stream, 200, answer_body, {{"date", answer_date}});
        }
    }};
    trust(server);
    const auto taken = of_exchanges(context, http(), request_to(server));
    EXPECT_LE(taken, exchange_bound);
    RecordProperty("allocations", fmt::format("{:.2f}", taken));
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
