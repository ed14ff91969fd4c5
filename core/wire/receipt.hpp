#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/error/failure.hpp"
#include "core/reference/reference.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// A provider's later word on one message.
enum class ReceiptEvent : std::uint8_t {
    accepted,      // Taken by the provider: settles what was in doubt.
    delivered,     // Taken by the person's own server or device.
    opened,        //
    clicked,       //
    soft_bounced,  // This time not; the address may be fine. Several in a row suppress it.
    hard_bounced,  // The address is dead or invalid: suppressed.
    complained,    // The person called it spam: suppressed.
    unsubscribed,  // The person wants nothing more: suppressed.
    failed,        // Not delivered because of content or account; says nothing of the address.
    expired,       // Given up because its time was over.
    opted_out,     // Not sent: the person had told the provider to stop. Suppressed.
};
inline constexpr std::size_t receipt_event_count = 11;

[[nodiscard]] std::string_view to_string(ReceiptEvent value) noexcept;
[[nodiscard]] std::optional<ReceiptEvent> parse_receipt_event(std::string_view word) noexcept;

struct Receipt {
    Reference reference;  // `job` is "" when the message was none of ours, or bore no reference.
    ReceiptEvent event = ReceiptEvent::accepted;
    std::int64_t at_unix = 0;  // The provider's time of the event; 0 when it tells none.
    std::string address;       // As the provider wrote it; for suppressions. May be "".
    std::string event_id;      // The provider's id of the event, the same when repeated. May be "".
};

/// A Kafka record on <prefix>.receipts: the receipts of one account that arrived together and
/// belong to one chunk (or to none). Keyed by receipt_key(), so that all of a chunk stay in
/// order and meet in one worker.
struct ReceiptBatch {
    std::string account;  // AccountSettings::name
    Channel channel = Channel::email;
    std::string job;  // "" for receipts that bore no reference.
    std::uint32_t chunk = 0;
    std::vector<Receipt> receipts;  // At most receipts_max; all with this job and chunk.
};
inline constexpr std::size_t receipts_max = 1'000;

/// Sorts receipts into batches, in their order within each.
[[nodiscard]] std::vector<ReceiptBatch> batch_receipts(std::string_view account, Channel channel,
                                                       std::span<const Receipt> receipts);

[[nodiscard]] std::string receipt_key(const ReceiptBatch& batch);
[[nodiscard]] std::string encode_receipts(const ReceiptBatch& batch);

/// Untrusted bytes of up to 1 MiB; never throws. Nothing unless all of it makes sense; only an
/// event that a later version may know leaves out its receipt and no other.
[[nodiscard]] std::optional<ReceiptBatch> decode_receipts(std::string_view bytes);

}  // namespace fanfare
