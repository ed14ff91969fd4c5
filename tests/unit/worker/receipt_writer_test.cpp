#include "worker/receipts/receipt_writer.hpp"

#include "core/clock/timer.hpp"
#include "core/clock/virtual_time.hpp"
#include "tests/support/coroutines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Notes how many batches it was given at a time, or is away.
class ReceiptLedger final : public ReceiptStore {
public:
    Answer<Heard> write(std::span<const ReceiptBatch> batches, int) override {
        ++asked;
        co_await pause_for(takes);
        if (is_away) co_return fail(Errc::store_unavailable, "write receipts");
        written.push_back(batches.size());
        co_return Heard{{}, refuses};
    }
    Answer<ledger::ReceiptTally> apply_early(int) override {
        ++asked_for_early;
        if (is_away) co_return fail(Errc::store_unavailable, "apply early receipts");
        co_return ledger::ReceiptTally{};
    }

    bool is_away = false;
    std::chrono::milliseconds takes{0};
    std::size_t refuses = 0;
    int asked = 0, asked_for_early = 0;
    std::vector<std::size_t> written;
};

class ReceiptWriterTest : public ::testing::Test {
protected:
    ReceiptWriterTest() {
        time.attach(loop);
        writer.emplace(loop.get_executor(),
                       ReceiptWriter::Parts{ledger, probe, 5,
                                            [this](const kafka::Received& record) {
                                                finished.push_back(record.offset);
                                            },
                                            [this](bool on) { pauses.push_back(on); }, time});
    }
    ~ReceiptWriterTest() override {
        writer->stop();
        time.run_for(1min);
    }
    void take(std::size_t receipts) {
        ReceiptBatch batch;
        batch.account = "mail";
        batch.receipts.resize(receipts);
        take(encode_receipts(batch));
    }
    void take(std::string value) {
        kafka::Received record;
        record.offset = offset++;
        record.value = std::move(value);
        writer->take(std::move(record));
    }

    VirtualTime time{TimePoint{}};
    ReceiptLedger ledger;
    WorkerProbe probe{std::make_shared<prometheus::Registry>()};
    asio::io_context loop{1};
    std::optional<ReceiptWriter> writer;
    std::vector<std::int64_t> finished;
    std::vector<bool> pauses;
    std::int64_t offset = 0;
};

TEST_F(ReceiptWriterTest, WritesAtOnceWhatArrivesWithinAMoment) {
    take(3);
    time.run_for(60ms);
    take(1);
    EXPECT_EQ(ledger.asked, 0);
    time.run_for(1s);
    take(1);
    time.run_for(1s);
    EXPECT_THAT(ledger.written, ElementsAre(2, 1));
    EXPECT_THAT(finished, ElementsAre(0, 1, 2));
}

TEST_F(ReceiptWriterTest, WhileTheLedgerIsAwayNothingIsFinishedAndAllIsTriedAgain) {
    ledger.is_away = true;
    take(1);
    time.run_for(30s);
    take(1);
    time.run_for(10min);
    EXPECT_THAT(finished, IsEmpty());
    EXPECT_GE(ledger.asked, 120) << "each five seconds";
    EXPECT_LE(ledger.asked, 135);
    ledger.is_away = false;
    time.run_for(1min);
    EXPECT_THAT(ledger.written, ElementsAre(1, 1));
    EXPECT_THAT(finished, ElementsAre(0, 1));
}

TEST_F(ReceiptWriterTest, WhatIsNoReceiptHoldsUpNobody) {
    ledger.is_away = true;
    take(1);
    take("{");
    time.run_for(1min);
    EXPECT_THAT(finished, ElementsAre(1));
}

TEST_F(ReceiptWriterTest, WhatTheLedgerRefusesIsFinished) {
    ledger.refuses = 1;
    take(1);
    time.run_for(1min);
    EXPECT_THAT(finished, ElementsAre(0));
    EXPECT_EQ(ledger.asked, 1);
}

TEST_F(ReceiptWriterTest, TheTopicIsPausedWhileTooManyWait) {
    ledger.is_away = true;
    take(1);
    time.run_for(1s);
    for (int i = 0; i < 50; ++i) take(receipts_max);
    EXPECT_THAT(pauses, IsEmpty());
    take(receipts_max);
    take(receipts_max);
    EXPECT_THAT(pauses, ElementsAre(true));
    ledger.is_away = false;
    time.run_for(1min);
    EXPECT_THAT(pauses, ElementsAre(true, false));
    EXPECT_EQ(finished.size(), 53U);
}

TEST_F(ReceiptWriterTest, WhatIsNotWrittenWhenItStopsIsNotFinished) {
    ledger.is_away = true;
    take(1);
    time.run_for(1min);
    writer->stop();
    bool joined = false;
    const auto join = [](ReceiptWriter& stage, bool& done) -> asio::awaitable<void> {
        co_await stage.join();
        done = true;
    };
    test::begin(loop, join(*writer, joined));
    time.run_for(10s);
    EXPECT_TRUE(joined);
    EXPECT_THAT(finished, IsEmpty());
}

TEST_F(ReceiptWriterTest, WhatCameEarlyIsAskedForWhenItIsTime) {
    test::begin(loop, writer->apply_early());
    time.settle();
    ledger.is_away = true;
    test::begin(loop, writer->apply_early());
    time.settle();
    EXPECT_EQ(ledger.asked_for_early, 2) << "an outage ends no program";
}

}  // namespace
}  // namespace fanfare
