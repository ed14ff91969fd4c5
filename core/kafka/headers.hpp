#pragma once

#include <librdkafka/rdkafka.h>

#include <optional>
#include <string_view>

namespace fanfare::kafka {

/// Hands each header of a record to `take`, in order: its name, and its value, which it may lack.
/// Views into the record. Calls from the record's owner only.
template <class Take>
void for_each_header(const rd_kafka_message_t& message, const Take& take) {
    rd_kafka_headers_t* headers = nullptr;  // The message's own.
    if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
        std::optional<std::string_view> text;
        if (value != nullptr) text.emplace(static_cast<const char*>(value), size);
        take(std::string_view{name}, text);
    }
}

}  // namespace fanfare::kafka
