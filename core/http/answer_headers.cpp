#include "core/http/answer_headers.hpp"

#include "core/web/text.hpp"

namespace fanfare {

void keep_header(HttpAnswer& answer, std::string_view name, std::string_view value) {
    // Only a few headers matter; their first letters tell most others apart.
    constexpr std::string_view first_letters = "rRxXaAdD";
    if (name.empty() || first_letters.find(name[0]) == std::string_view::npos) return;
    value = trimmed(value);
    if (same_word(name, "retry-after")) answer.retry_after = value;
    if (same_word(name, "x-ratelimit-reset")) answer.rate_limit_reset = value;
    if (same_word(name, "x-message-id") || same_word(name, "apns-id")) answer.message_id = value;
    if (same_word(name, "x-amzn-errortype")) answer.error_type = value;
    if (same_word(name, "date")) answer.date = value;
}

}  // namespace fanfare
