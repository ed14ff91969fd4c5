#include "core/wire/receipt.hpp"

#include <gtest/gtest.h>

#include <random>

namespace fanfare {
namespace {

constexpr auto job = "0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11";

ReceiptBatch some_batch() {
    ReceiptBatch batch{"mailgun-eu", Channel::email, job, 12, {}};
    for (std::uint32_t i = 0; i < receipt_event_count; ++i) {
        batch.receipts.push_back({{job, Channel::email, 12, i * 7},
                                  static_cast<ReceiptEvent>(i),
                                  1'767'225'600 + i,
                                  "\"ann\"@example.com",
                                  "event-1"});
    }
    return batch;
}

void expect_same(const ReceiptBatch& a, const ReceiptBatch& b) {
    EXPECT_EQ(a.account, b.account);
    EXPECT_EQ(a.channel, b.channel);
    EXPECT_EQ(a.job, b.job);
    EXPECT_EQ(a.chunk, b.chunk);
    ASSERT_EQ(a.receipts.size(), b.receipts.size());
    for (std::size_t i = 0; i < a.receipts.size(); ++i) {
        EXPECT_EQ(a.receipts[i].reference, b.receipts[i].reference);
        EXPECT_EQ(a.receipts[i].event, b.receipts[i].event);
        EXPECT_EQ(a.receipts[i].at_unix, b.receipts[i].at_unix);
        EXPECT_EQ(a.receipts[i].address, b.receipts[i].address);
        EXPECT_EQ(a.receipts[i].event_id, b.receipts[i].event_id);
    }
}

TEST(Receipts, AreReadAsTheyWereWritten) {
    const auto read = decode_receipts(encode_receipts(some_batch()));
    ASSERT_TRUE(read);
    expect_same(*read, some_batch());
}

TEST(Receipts, WithoutAReferenceNameNoJob) {
    auto batch = some_batch();
    batch.job = "";
    batch.chunk = 0;
    for (auto& receipt : batch.receipts) receipt.reference = {"", Channel::email, 0, 0};
    const auto read = decode_receipts(encode_receipts(batch));
    ASSERT_TRUE(read);
    expect_same(*read, batch);
}

TEST(Receipts, ThatMakeNoSenseAreRefusedWhole) {
    const auto good = encode_receipts(some_batch());
    const auto with = [&good](std::string_view from, std::string_view to) {
        auto text = good;
        const auto at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        text.replace(at, from.size(), to);
        return text;
    };
    ASSERT_TRUE(decode_receipts(good));
    for (const auto& bytes :
         {std::string{}, std::string{"[]"}, good + "x", with("\"version\":1", "\"version\":2"),
          with("\"email\"", "\"fax\""), with(job, "0b54b6a8"), with("\"chunk\":12", "\"chunk\":-1"),
          with("\"delivered\"", "\"\""), with("\"position\":7", "\"position\":1.5"),
          with("\"position\":7", "\"position\":1000001"), with("\"at\":", "\"at\":\"x\",\"b\":"),
          with("\"receipts\":[", "\"receipts\":[1,"), with("event-1", std::string(1'001, 'x'))}) {
        EXPECT_FALSE(decode_receipts(bytes)) << bytes.substr(0, 200);
    }
    EXPECT_FALSE(decode_receipts(std::string(2 << 20, '[')));
}

TEST(Receipts, WithAnEventOfALaterVersionAreLeftOutAlone) {
    auto text = encode_receipts(some_batch());
    text.replace(text.find("\"delivered\""), 11, "\"beamed_up\"");
    const auto read = decode_receipts(text);
    ASSERT_TRUE(read);
    auto others = some_batch();
    others.receipts.erase(others.receipts.begin() + 1);
    expect_same(*read, others);
}

TEST(Receipts, AreSortedIntoBatchesByChunk) {
    std::vector<Receipt> receipts;
    for (std::uint32_t i = 0; i < 2'500; ++i) {
        receipts.push_back({{job, Channel::sms, i % 2, i}, ReceiptEvent::delivered, 0, "", ""});
    }
    receipts.push_back({{"", Channel::sms, 0, 0}, ReceiptEvent::complained, 0, "", ""});
    const auto batches = batch_receipts("twilio", Channel::sms, receipts);
    std::size_t count = 0;
    for (const auto& batch : batches) {
        EXPECT_LE(batch.receipts.size(), receipts_max);
        EXPECT_EQ(batch.account, "twilio");
        for (const auto& receipt : batch.receipts) {
            EXPECT_EQ(receipt.reference.job, batch.job);
            EXPECT_EQ(receipt.reference.chunk, batch.chunk);
            ++count;
        }
        EXPECT_TRUE(decode_receipts(encode_receipts(batch)));
    }
    EXPECT_EQ(count, receipts.size());
    EXPECT_EQ(batches.size(), 5U) << "two of each chunk, one without a reference";
    EXPECT_EQ(receipt_key(batches[0]), std::string{job} + ".sms.0");
}

TEST(Receipts, SurviveRandomBytes) {
    std::mt19937 random{20'261'121};
    const auto good = encode_receipts(some_batch());
    const auto at_most = [&](std::size_t top) {
        return std::uniform_int_distribution<std::size_t>{0, top}(random);
    };
    for (int i = 0; i < 20'000; ++i) {
        auto bytes = good;
        for (std::size_t wounds = 1 + at_most(3); wounds > 0; --wounds) {
            bytes[at_most(bytes.size() - 1)] = static_cast<char>(at_most(255));
        }
        const auto read = decode_receipts(bytes);
        if (!read) continue;
        const auto again = decode_receipts(encode_receipts(*read));
        ASSERT_TRUE(again) << bytes;
        expect_same(*again, *read);
    }
}

TEST(Receipts, MakeRecordsThatABrokerTakes) {
    const std::string escaped(1'000, '\x01');  // Six bytes each.
    std::vector<Receipt> receipts;
    for (std::uint32_t i = 0; i < 1'500; ++i) {
        receipts.push_back(
            {{job, Channel::sms, 1, i}, ReceiptEvent::delivered, 1, escaped, escaped});
    }
    std::uint32_t next = 0;
    for (const auto& batch : batch_receipts("twilio", Channel::sms, receipts)) {
        const auto record = encode_receipts(batch);
        EXPECT_LT(record.size(), 900'000U);
        const auto read = decode_receipts(record);
        ASSERT_TRUE(read);
        for (const auto& receipt : read->receipts) EXPECT_EQ(receipt.reference.position, next++);
    }
    EXPECT_EQ(next, receipts.size());
}

}  // namespace
}  // namespace fanfare
