// Any Kafka record, taken for a CloudEvent or for receipts, gives a job or a rejection. The first
// byte chooses between structured, binary, a batch and receipts.
#include "core/error/failure.hpp"
#include "core/wire/cloud_event.hpp"
#include "core/wire/receipt.hpp"

#include <cstdint>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace fanfare;
    if (size == 0) return 0;
    const std::string text{reinterpret_cast<const char*>(bytes + 1), size - 1};
    if (bytes[0] % 4 == 3) {
        if (const auto batch = decode_receipts(text)) {
            ensure(decode_receipts(encode_receipts(*batch)).has_value(), "receipts come back");
        }
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
    static_cast<void>(is_cloud_event(headers));
    const auto decoded = decode_event(headers, bytes[0] % 4 == 0 ? text : rest);
    if (const auto* const rejection = std::get_if<Rejection>(&decoded)) {
        ensure(!rejection->code.empty() && !rejection->message.empty(), "a refusal says why");
    }
    return 0;
}
