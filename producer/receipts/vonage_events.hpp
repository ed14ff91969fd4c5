#pragma once

#include "core/wire/receipt.hpp"

#include <optional>
#include <string_view>

namespace fanfare::receipts {

/// What a delivery receipt of the SMS API means; nothing for what is not final.
[[nodiscard]] std::optional<ReceiptEvent> vonage_sms_event(std::string_view status,
                                                           std::string_view error_code);

/// What a status of the Messages API means.
[[nodiscard]] std::optional<ReceiptEvent> vonage_message_event(std::string_view status,
                                                               std::string_view error_code);

}  // namespace fanfare::receipts
