#include "worker/receipts/receipt_writer.hpp"

#include "core/clock/timer.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::size_t waiting_max = 50'000;
constexpr std::chrono::milliseconds gather{100};
constexpr std::chrono::milliseconds receipt_wait_first{100};
constexpr std::chrono::milliseconds receipt_wait_max{5'000};
constexpr int early_max = 10'000;

}  // namespace

void ReceiptWriter::take(kafka::Received record) {
    auto batch = decode_receipts(record.value);
    if (!batch) {
        dropped_.warn(fmt::format("dropped a record of receipts, partition {} offset {}",
                                  record.partition, record.offset));
        parts_.probe.dead_letter("not_a_receipt");
        parts_.finished(record);
        return;
    }
    receipts_waiting_ += batch->receipts.size();
    waiting_.push_back(std::move(*batch));
    record.value.clear();
    records_.push_back(std::move(record));
    if (receipts_waiting_ > waiting_max && !paused_) {
        paused_ = true;
        parts_.pause(true);
    }
    if (writing_) return;
    writing_ = true;
    tasks_.spawn(write_all());
}

asio::awaitable<void> ReceiptWriter::write_all() {
    while (!waiting_.empty() && !stopping_) {
        co_await pause_for(gather);
        const auto batches = std::move(waiting_);
        const auto records = std::move(records_);
        waiting_.clear();
        records_.clear();
        receipts_waiting_ = 0;
        auto wait = receipt_wait_first;
        bool written = co_await write(batches);
        while (!written && !stopping_) {
            co_await pause_for(wait);
            wait = std::min(wait * 2, receipt_wait_max);
            written = co_await write(batches);
        }
        if (written) {
            for (const auto& record : records) parts_.finished(record);
        }
        if (paused_ && receipts_waiting_ <= waiting_max / 2) {
            paused_ = false;
            parts_.pause(false);
        }
    }
    writing_ = false;
}

asio::awaitable<bool> ReceiptWriter::write(const std::vector<ReceiptBatch>& batches) {
    const auto heard = co_await parts_.store.write(batches, parts_.soft_bounces_max);
    if (!heard) {
        spdlog::warn("{}", describe(heard.error()));
        co_return false;
    }
    const auto& tally = heard.value().tally;
    parts_.probe.receipts("raised", tally.raised);
    parts_.probe.receipts("unchanged", tally.unchanged);
    parts_.probe.receipts("early", tally.early);
    parts_.probe.receipts("unmatched", tally.unmatched);
    if (heard.value().refused > 0) {
        spdlog::warn("dropped {} receipts that the ledger refuses", heard.value().refused);
        parts_.probe.receipts("refused", heard.value().refused);
    }
    co_return true;
}

asio::awaitable<void> ReceiptWriter::apply_early() {
    const auto tally = co_await parts_.store.apply_early(early_max);
    if (!tally) {
        spdlog::warn("{}", describe(tally.error()));
        co_return;
    }
    parts_.probe.receipts("raised", tally.value().raised);
    parts_.probe.receipts("unchanged", tally.value().unchanged);
    parts_.probe.receipts("unmatched", tally.value().unmatched);
}

}  // namespace fanfare
