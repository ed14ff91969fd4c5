// Any Kafka record, taken for a CloudEvent or for receipts, gives a job or a rejection. The first
// byte chooses between structured, binary, a batch and receipts.
#include "core/domain/trace.hpp"
#include "core/error/failure.hpp"
#include "core/wire/cloud_event.hpp"
#include "core/wire/receipt.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace {

using namespace fanfare;

/// Receipts as the producer publishes them: sorted into batches, none of them lost.
void try_receipts(std::string_view text) {
    const auto batch = decode_receipts(text);
    if (!batch) return;
    ensure(decode_receipts(encode_receipts(*batch)).has_value(), "receipts come back");
    const auto sorted = batch_receipts(batch->account, batch->channel, batch->receipts);
    std::size_t count = 0;
    for (const auto& each : sorted) {
        ensure(receipt_key(each) == receipt_key(*batch), "a batch is of one chunk");
        count += each.receipts.size();
    }
    ensure(count == batch->receipts.size(), "no receipt is lost");
    ensure(sorted.size() != 1 || encode_receipts(sorted.front()) == encode_receipts(*batch),
           "a batch is written in one way");
}

void check(const std::variant<Job, Rejection>& decoded, const std::string& trace) {
    if (const auto* const rejection = std::get_if<Rejection>(&decoded)) {
        ensure(!rejection->code.empty() && !rejection->message.empty(), "a refusal says why");
    }
    ensure(trace.empty() || decode_trace(trace).has_value(), "what is kept is a trace");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) return 0;
    const std::string text{reinterpret_cast<const char*>(bytes + 1), size - 1};
    if (bytes[0] % 4 == 3) {
        try_receipts(text);
        return 0;
    }
    std::vector<std::pair<std::string, std::string>> headers;
    const auto line = text.find('\n');
    const auto first = text.substr(0, line);
    const auto rest = line == std::string::npos ? std::string{} : text.substr(line + 1);
    if (bytes[0] % 4 == 0) headers = {{"content-type", "application/cloudevents+json"}};
    if (bytes[0] % 4 == 1) headers = {{"content-type", first}};
    if (bytes[0] % 4 == 2) {
        headers = {{"ce_specversion", "1.0"},
                   {"ce_type", "fanfare.job.v1"},
                   {"ce_id", first},
                   {"ce_source", "/fuzz"},
                   {"content-type", "application/json"}};
    }
    for (const auto& header : headers) {
        ensure(is_event_header(header.first), "what an event is read by is kept");
    }
    const auto& body = bytes[0] % 4 == 0 ? text : rest;
    std::string trace;
    const auto decoded = decode_event(headers, body, &trace);
    check(decoded, trace);
    // A plain job, unless its headers say that it is an event.
    if (!is_cloud_event(headers)) {
        trace.clear();
        check(decode_record(headers, body, &trace), trace);
    }
    return 0;
}
