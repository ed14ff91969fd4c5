#include "worker/receipts/receipt_store.hpp"

#include "core/audience/address.hpp"
#include "core/ledger/addresses.hpp"
#include "core/ledger/opt_outs.hpp"
#include "core/postgres/halving.hpp"

#include <string>
#include <utility>
#include <vector>

namespace fanfare {
namespace {

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

boost::asio::awaitable<Result<Heard>> LedgerReceiptStore::write(
    std::span<const ReceiptBatch> batches, int soft_bounces_max) {
    return ledger_.run("write receipts", [=](postgres::Connection& ledger) {
        return write_receipts(ledger, batches, soft_bounces_max);
    });
}

boost::asio::awaitable<Result<ledger::ReceiptTally>> LedgerReceiptStore::apply_early(int limit) {
    return ledger_.run("apply early receipts", [limit](postgres::Connection& ledger) {
        return ledger::apply_early_receipts(ledger, limit);
    });
}

}  // namespace fanfare
