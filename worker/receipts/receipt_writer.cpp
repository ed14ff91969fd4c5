#include "worker/receipts/receipt_writer.hpp"

#include "core/audience/address.hpp"
#include "core/clock/timer.hpp"
#include "core/ledger/addresses.hpp"
#include "core/ledger/opt_outs.hpp"
#include "core/ledger/receipts.hpp"
#include "core/postgres/halving.hpp"

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

std::string_view suppression_reason(ReceiptEvent event) {
    if (event == ReceiptEvent::hard_bounced) return "address_invalid";
    if (event == ReceiptEvent::complained) return "complained";
    return "unsubscribed";
}

/// Addresses that get nothing more. Who unsubscribed from a message of ours leaves its list;
/// without a reference nobody knows which, and the address leaves all. Whom the provider itself
/// sends nothing any more leaves all, whatever list this message was of.
void suppress(postgres::Connection& ledger, std::span<const ReceiptBatch> batches) {
    for (const auto& batch : batches) {
        std::vector<ledger::NewSuppression> suppressions;
        for (const auto& receipt : batch.receipts) {
            const auto event = receipt.event;
            if (event == ReceiptEvent::unsubscribed && !receipt.reference.job.empty()) {
                if (ledger::opt_out(ledger, receipt.reference)) continue;
            }
            const bool final =
                event == ReceiptEvent::hard_bounced || event == ReceiptEvent::complained ||
                event == ReceiptEvent::unsubscribed || event == ReceiptEvent::opted_out;
            std::string address;
            if (!final || read_address(batch.channel, receipt.address, address, Plus::optional) !=
                              AddressFault::none) {
                continue;
            }
            suppressions.push_back({std::move(address), std::string{suppression_reason(event)}});
        }
        if (suppressions.empty()) continue;
        ledger::add_suppressions(ledger, batch.channel, suppressions, "receipt");
    }
}

/// Each receipt of a batch alone.
std::vector<ReceiptBatch> one_by_one(const ReceiptBatch& batch) {
    std::vector<ReceiptBatch> singles;
    for (const auto& receipt : batch.receipts) {
        singles.push_back({batch.account, batch.channel, batch.job, batch.chunk, {receipt}});
    }
    return singles;
}

}  // namespace

Heard write_receipts(postgres::Connection& ledger, std::span<const ReceiptBatch> batches,
                     int soft_bounces_max) {
    Heard heard;
    const auto write = [&](std::span<const ReceiptBatch> part) {
        const auto applied = ledger::apply_receipts(ledger, part);
        // After the outcomes: done again after a fault, all of it comes to the same.
        suppress(ledger, part);
        ledger::count_soft_bounces(ledger, part, soft_bounces_max);
        heard.tally.raised += applied.raised;
        heard.tally.unchanged += applied.unchanged;
        heard.tally.early += applied.early;
        heard.tally.unmatched += applied.unmatched;
    };
    const auto drop = [&](const ReceiptBatch&, const std::exception&) { ++heard.refused; };
    const auto search = [&](const ReceiptBatch& batch, const std::exception&) {
        const auto singles = one_by_one(batch);
        postgres::halve(std::span<const ReceiptBatch>{singles}, write, drop);
    };
    postgres::halve(batches, write, search);
    return heard;
}

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
    const int in_a_row_max = parts_.soft_bounces_max;
    auto heard = co_await parts_.ledger.run("write receipts", [&](postgres::Connection& ledger) {
        return write_receipts(ledger, batches, in_a_row_max);
    });
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
    auto tally =
        co_await parts_.ledger.run("apply early receipts", [](postgres::Connection& ledger) {
            return ledger::apply_early_receipts(ledger, early_max);
        });
    if (!tally) {
        spdlog::warn("{}", describe(tally.error()));
        co_return;
    }
    parts_.probe.receipts("raised", tally.value().raised);
    parts_.probe.receipts("unchanged", tally.value().unchanged);
    parts_.probe.receipts("unmatched", tally.value().unmatched);
}

}  // namespace fanfare
