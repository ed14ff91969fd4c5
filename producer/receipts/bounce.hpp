#pragma once

#include "core/wire/receipt.hpp"

#include <string_view>

namespace fanfare::receipts {

/// What a bounce means whose enhanced status code ("5.1.1", RFC 3463) is known. It is hard, and
/// suppresses the address, where that speaks of the mailbox or says nothing; what passes (4.x.x),
/// or speaks of a full mailbox, a route, a policy or of us, is soft. Pure.
[[nodiscard]] ReceiptEvent bounce_event(std::string_view enhanced_code) noexcept;

}  // namespace fanfare::receipts
