// The same of a whole chunk: its requests are composed, begin, are answered, and it is settled. The
// ledger takes every word, and the wire has every answer.
#include "tests/contract/provider_checks.hpp"
#include "tests/support/coroutines.hpp"
#include "tests/unit/allocations/chunk_case.hpp"
#include "tests/unit/allocations/counted_new.hpp"
#include "worker/send/chunk_send.hpp"
#include "worker/send/settle.hpp"

#include <gtest/gtest.h>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using test::for_one_more;

std::string ses_success(std::size_t people) {
    std::string body = R"({"BulkEmailEntryResults":[)";
    for (std::size_t i = 0; i < people; ++i) {
        if (i > 0) body.push_back(',');
        body += R"({"Status":"SUCCESS","MessageId":"0100018c1a2b3c4d-0000-000000"})";
    }
    return body + "]}";
}

/// As the provider answers what it takes, with the headers that servers send.
HttpAnswer success_of(std::string_view provider, std::size_t people) {
    const auto& all = testing::provider_cases();
    const auto known = std::find_if(all.begin(), all.end(),
                                    [&](const auto& each) { return each.name == provider; });
    HttpAnswer answer;
    answer.transport = Transport::answered;
    answer.status = known->success_status;
    answer.body = known->success_body;
    answer.message_id = known->success_message_id;
    answer.date = "Thu, 01 Jan 2026 00:00:00 GMT";
    // Ids as long as they are in life, which is longer than the contract's.
    if (provider == "fcm") {
        answer.body =
            R"({"name":"projects/test-project/messages/0:1500415314455276%31bd1c9631bd1c"})";
    }
    if (provider == "smtp") answer.body = "2.0.0 Ok: queued as 4XkZ9v2Lq3z5Mn81 on mx7";
    if (provider == "ses") answer.body = ses_success(people);
    return answer;
}

struct Answering {
    const char* provider;
    AccountSettings (*account)();
    double reading;  // Bounds: of one answer more,
    double sending;  // and of one person more in a chunk, from composing to the record.
};

void PrintTo(const Answering& one, std::ostream* out) { *out << one.provider; }

/// Answers each request in the loop's next turn.
class AnsweringHttp final : public HttpClient {
public:
    AnsweringHttp(asio::io_context& context, const HttpAnswer& answer)
        : context_{context}, answer_{answer} {}
    void start(const HttpRequest&, Done done) override {
        waiting_.push_back(std::move(done));
        if (waiting_.size() > 1) return;
        asio::post(context_, [this] { answer_all(); });
    }
    [[nodiscard]] std::size_t in_flight() const noexcept override { return waiting_.size(); }

private:
    void answer_all() {
        answered_.swap(waiting_);
        for (const auto& done : answered_) done(answer_);
        answered_.clear();
    }

    asio::io_context& context_;
    const HttpAnswer& answer_;
    std::vector<Done> waiting_;
    std::vector<Done> answered_;  // Kept for their memory.
};

/// A ledger that takes every word.
class TakingStore final : public ChunkStore {
public:
    Answer<std::vector<ledger::ClaimedChunk>> claim(std::span<const ledger::ClaimRequest>,
                                                    std::chrono::milliseconds,
                                                    std::int64_t) override {
        co_return std::vector<ledger::ClaimedChunk>{};
    }
    Answer<WrittenChunks> mark(std::span<const ledger::ChunkMark> marks) override {
        co_return written(marks);
    }
    Answer<WrittenChunks> record(std::span<const ledger::ChunkRecord> records) override {
        co_return written(records);
    }
    Answer<bool> split(const ledger::ChunkClaim&, ledger::ChunkPeople&,
                       std::span<const ledger::Split>) override {
        co_return false;
    }
    Answer<bool> is_cancelled(const std::string&) override { co_return false; }

private:
    static WrittenChunks written(const auto& words) {
        WrittenChunks written;
        for (const auto& word : words) written.keys.push_back(word.key);
        return written;
    }
};

class SendingAllocations : public ::testing::TestWithParam<Answering> {
protected:
    static constexpr std::size_t half = 100;  // Whole requests of SES, and all of them spare.

    SendingAllocations() {
        auto settings = GetParam().account();
        settings.rate = {.per_second = 0, .concurrency = half};
        account = std::make_unique<Account>(
            context.get_executor(), Account::Parts{settings, testing::open(settings), bucket, clock,
                                                   probe, [this](const HttpOptions&) {
                                                       return std::make_unique<AnsweringHttp>(
                                                           context, answer);
                                                   }});
        chunk.claim.lease_ends = clock.steady_now() + std::chrono::seconds{600};
        // It has served somebody: as much may be under way as its permits say.
        auto& breaker = account->breaker();
        for (int i = 0; i < 3; ++i) {
            const auto now = clock.steady_now();
            breaker.answered(breaker.begin(1, now), true, 1, now);
        }
    }

    /// From composing to the record; gives how many were sent to.
    std::size_t send(std::size_t count) {
        Recipients people;
        Pass pass;
        pass.provider = account->provider();
        chunk.fill(count, people, pass.resolved);
        pass.requests.spare = spare.take();
        chunk.compose(*pass.provider, people, pass.resolved, pass.requests);
        const ChunkSpan span{nullptr, chunk.claim, 0, {}};
        ChunkSend sending{{context.get_executor(), *account, clock, pauses, marker, span},
                          chunk.claim,
                          people,
                          pass};
        test::run(context, sending.run());
        settle_pass(people, pass);
        spare.give_back(pass.requests);
        test::run(context, record(people));
        test::run(context, batcher.join());
        return static_cast<std::size_t>(std::count(people.outcomes.begin(), people.outcomes.end(),
                                                   static_cast<char>(Outcome::sent)));
    }
    asio::awaitable<void> record(Recipients& people) {
        auto entry = to_record(chunk.claim, people, "account", {});
        EXPECT_TRUE(entry.done);
        const auto written = co_await batcher.record(std::move(entry));
        EXPECT_TRUE(written && written.value());
    }

    asio::io_context context{1};
    postgres::Pool pool{Secret{"host=127.0.0.1 port=1"}, {}, 1};
    LedgerRateBucket bucket{pool};
    ManualClock clock{testing::test_clock().now()};
    prometheus::Registry registry;
    AccountProbe probe{registry, "account", GetParam().account().channel};
    HttpAnswer answer = success_of(GetParam().provider, 1);
    std::unique_ptr<Account> account;
    test::ChunkCase chunk{GetParam().account().channel, 2 * half};
    SpareRequests spare;
    Pauses pauses;
    TakingStore store;
    ChunkBatcher batcher{context.get_executor(), store, {}};
    const Marker marker = [this](ledger::ChunkMark mark) { return batcher.mark(std::move(mark)); };
};

TEST_P(SendingAllocations, OfAnAnswer) {
    const auto now = testing::test_now;
    const auto taken = for_one_more(100, [&](std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            const auto read = account->provider()->read(answer, 1, now);
            EXPECT_EQ(read.verdict, Verdict::ok);
        }
    });
    EXPECT_LE(taken, GetParam().reading);
    RecordProperty("allocations", fmt::format("{:.2f}", taken));
}

TEST_P(SendingAllocations, OfAChunk) {
    const auto taken = for_one_more(half, [&](std::size_t count) {
        if (account->batch_max() > 1) {
            const auto people = std::min(count, account->batch_max());
            answer = success_of(GetParam().provider, people);
        }
        EXPECT_EQ(send(count), count);
    });
    EXPECT_LE(taken, GetParam().sending);
    RecordProperty("allocations", fmt::format("{:.2f}", taken));
}

// An answer: the id in it, and the document where it holds many. A person: the id that the record
// keeps; the rest is what a wave, its mark and its coroutines take, here for a hundred people.
INSTANTIATE_TEST_SUITE_P(
    Providers, SendingAllocations,
    ::testing::Values(Answering{"mailgun", testing::mailgun_account, 1, 1.05},
                      Answering{"sendgrid", testing::sendgrid_account, 1, 1.05},
                      // Requests for fifty people are signed, and their answers are long.
                      Answering{"ses", testing::ses_account, 2, 1.85},
                      Answering{"smtp", testing::smtp_account, 1, 3.9},  // A link of its own.
                      Answering{"twilio", testing::twilio_account, 1, 1.9},
                      Answering{"vonage", testing::vonage_account, 1, 1.9},
                      Answering{"vonage_messages", testing::vonage_messages_account, 1, 1.9},
                      Answering{"fcm", testing::fcm_account, 1, 1.9},
                      Answering{"apns", testing::apns_account, 1, 1.9}),
    [](const auto& one) { return std::string{one.param.provider}; });

}  // namespace
}  // namespace fanfare
