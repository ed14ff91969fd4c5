#pragma once

#include "producer/receipts/receiver.hpp"

#include <string_view>

namespace fanfare::receipts {

/// Reads one event of SES, the `Message` of a notification. False when it is no such thing.
bool read_ses_event(std::string_view message, std::string_view message_id, ReceiptList& list);

}  // namespace fanfare::receipts
