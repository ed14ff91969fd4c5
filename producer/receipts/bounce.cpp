#include "producer/receipts/bounce.hpp"

namespace fanfare::receipts {

ReceiptEvent bounce_event(std::string_view enhanced_code) noexcept {
    if (enhanced_code.starts_with("4.")) return ReceiptEvent::soft_bounced;
    const bool is_read = enhanced_code.starts_with("5.") && enhanced_code.size() > 2;
    if (!is_read) return ReceiptEvent::hard_bounced;
    const auto of_what = enhanced_code.substr(2);
    const bool of_the_sender = of_what == "1.7" || of_what == "1.8";
    const bool of_the_mailbox =
        !of_the_sender && (of_what.starts_with("0.") || of_what.starts_with("1.") ||
                           of_what == "2.0" || of_what == "2.1");
    return of_the_mailbox ? ReceiptEvent::hard_bounced : ReceiptEvent::soft_bounced;
}

}  // namespace fanfare::receipts
