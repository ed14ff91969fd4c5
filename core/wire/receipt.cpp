#include "core/wire/receipt.hpp"

#include "core/domain/uuid.hpp"
#include "core/reference/reference.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <limits>
#include <map>
#include <utility>

namespace fanfare {
namespace {

namespace json = boost::json;

constexpr std::size_t bytes_max = 1 << 20;
constexpr std::size_t text_bytes_max = 1'000;
// Addresses and ids of a batch. Were each byte escaped (\u0001) it would still be a record that
// every broker takes.
constexpr std::size_t batch_bytes_max = std::size_t{64} * 1024;
constexpr std::int64_t chunk_max = 2'000'000'000;

constexpr std::array<std::string_view, receipt_event_count> words{
    "accepted",   "delivered",    "opened", "clicked", "soft_bounced", "hard_bounced",
    "complained", "unsubscribed", "failed", "expired", "opted_out"};

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

const json::value* find(const json::object& object, std::string_view key) {
    return object.if_contains(view(key));
}

std::optional<std::string_view> text_at(const json::object& object, std::string_view key) {
    const auto* const value = find(object, key);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    const auto& text = value->get_string();
    if (text.size() > text_bytes_max) return std::nullopt;
    return std::string_view{text.data(), text.size()};
}

std::optional<std::int64_t> number_at(const json::object& object, std::string_view key,
                                      std::int64_t max) {
    const auto* const value = find(object, key);
    if (value == nullptr || !value->is_int64()) return std::nullopt;
    const auto number = value->get_int64();
    if (number < 0 || number > max) return std::nullopt;
    return number;
}

/// Adds one receipt, if its event is known. False where it is none at all.
bool read_receipt(const json::value& value, ReceiptBatch& batch) {
    if (!value.is_object()) return false;
    const auto& object = value.get_object();
    const auto position = number_at(object, "position", chunk_recipients_max);
    const auto word = text_at(object, "event");
    const auto at = number_at(object, "at", std::numeric_limits<std::int64_t>::max());
    const auto address = text_at(object, "address");
    const auto id = text_at(object, "id");
    if (!position || !word || !at || !address || !id || object.size() != 5) return false;
    const auto event = parse_receipt_event(*word);
    if (!event) return !word->empty();
    batch.receipts.push_back(
        {{batch.job, batch.channel, batch.chunk, static_cast<std::uint32_t>(*position)},
         *event,
         *at,
         std::string{*address},
         std::string{*id}});
    return true;
}

}  // namespace

std::string_view to_string(ReceiptEvent value) noexcept {
    return words[static_cast<std::size_t>(value)];
}

std::optional<ReceiptEvent> parse_receipt_event(std::string_view word) noexcept {
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == word) return static_cast<ReceiptEvent>(i);
    }
    return std::nullopt;
}

std::vector<ReceiptBatch> batch_receipts(std::string_view account, Channel channel,
                                         std::span<const Receipt> receipts) {
    struct Open {
        std::size_t batch = 0;
        std::size_t bytes = 0;
    };
    std::vector<ReceiptBatch> batches;
    std::map<std::pair<std::string_view, std::uint32_t>, Open> open;
    for (const auto& receipt : receipts) {
        const auto& reference = receipt.reference;
        const auto bytes = receipt.address.size() + receipt.event_id.size();
        const auto [found, is_new] = open.try_emplace({reference.job, reference.chunk});
        auto& place = found->second;
        if (is_new || batches[place.batch].receipts.size() == receipts_max ||
            place.bytes + bytes > batch_bytes_max) {
            place = {batches.size(), 0};
            batches.push_back({std::string{account}, channel, reference.job, reference.chunk, {}});
        }
        batches[place.batch].receipts.push_back(receipt);
        place.bytes += bytes;
    }
    return batches;
}

std::string receipt_key(const ReceiptBatch& batch) {
    return fmt::format("{}.{}.{}", batch.job, to_string(batch.channel), batch.chunk);
}

std::string encode_receipts(const ReceiptBatch& batch) {
    json::array receipts;
    for (const auto& receipt : batch.receipts) {
        receipts.push_back({{"position", receipt.reference.position},
                            {"event", view(to_string(receipt.event))},
                            {"at", receipt.at_unix},
                            {"address", view(receipt.address)},
                            {"id", view(receipt.event_id)}});
    }
    const json::value whole{{"version", 1},
                            {"account", view(batch.account)},
                            {"channel", view(to_string(batch.channel))},
                            {"job", view(batch.job)},
                            {"chunk", batch.chunk},
                            {"receipts", std::move(receipts)}};
    return json::serialize(whole);
}

std::optional<ReceiptBatch> decode_receipts(std::string_view bytes) {
    if (bytes.size() > bytes_max) return std::nullopt;
    boost::system::error_code fault;
    const json::value value = json::parse(view(bytes), fault);
    if (fault || !value.is_object()) return std::nullopt;
    const auto& object = value.get_object();
    const auto version = number_at(object, "version", 1);
    const auto account = text_at(object, "account");
    const auto word = text_at(object, "channel");
    const auto job = text_at(object, "job");
    const auto chunk = number_at(object, "chunk", chunk_max);
    const auto* const receipts = find(object, "receipts");
    if (version != 1 || !account || !word || !job || !chunk || receipts == nullptr ||
        !receipts->is_array() || object.size() != 6) {
        return std::nullopt;
    }
    const auto channel = parse_channel(*word);
    const auto& list = receipts->get_array();
    if (!channel || list.size() > receipts_max || (!job->empty() && !is_uuid(*job))) {
        return std::nullopt;
    }
    ReceiptBatch batch{
        std::string{*account}, *channel, std::string{*job}, static_cast<std::uint32_t>(*chunk), {}};
    for (const auto& item : list) {
        if (!read_receipt(item, batch)) return std::nullopt;
    }
    return batch;
}

}  // namespace fanfare
