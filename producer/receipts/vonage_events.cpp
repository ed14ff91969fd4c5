#include "producer/receipts/vonage_events.hpp"

#include <array>
#include <span>

namespace fanfare::receipts {
namespace {

using enum ReceiptEvent;

struct CodeMeaning {
    std::string_view code;
    ReceiptEvent event;
};

/// err-code of the SMS API; every other one leaves the number alone: soft_bounced.
constexpr std::array sms_codes{
    CodeMeaning{"3", hard_bounced},   // Gone for good.
    CodeMeaning{"4", hard_bounced},   // Barred by the user.
    CodeMeaning{"9", opted_out},      // Told the operator to stop.
    CodeMeaning{"10", failed},        // The message itself.
    CodeMeaning{"50", failed},        // Filters of regulation: the sender's, not the person's ...
    CodeMeaning{"51", failed},        //
    CodeMeaning{"52", failed},        //
    CodeMeaning{"53", soft_bounced},  // ... but for consent.
    CodeMeaning{"54", failed},
};

/// Codes of the Messages API, whose errors of sending may come as a status too.
constexpr std::array message_codes{
    CodeMeaning{"1000", failed},       CodeMeaning{"1010", failed},
    CodeMeaning{"1020", failed},       CodeMeaning{"1021", failed},
    CodeMeaning{"1022", failed},       CodeMeaning{"1030", soft_bounced},
    CodeMeaning{"1040", soft_bounced}, CodeMeaning{"1050", hard_bounced},
    CodeMeaning{"1060", failed},       CodeMeaning{"1070", failed},
    CodeMeaning{"1080", failed},       CodeMeaning{"1090", failed},
    CodeMeaning{"1100", soft_bounced}, CodeMeaning{"1110", failed},
    CodeMeaning{"1120", soft_bounced}, CodeMeaning{"1130", failed},
    CodeMeaning{"1140", failed},       CodeMeaning{"1150", failed},
    CodeMeaning{"1160", failed},       CodeMeaning{"1170", hard_bounced},
    CodeMeaning{"1180", soft_bounced}, CodeMeaning{"1190", hard_bounced},
    CodeMeaning{"1200", soft_bounced}, CodeMeaning{"1210", soft_bounced},
    CodeMeaning{"1220", soft_bounced}, CodeMeaning{"1230", soft_bounced},
    CodeMeaning{"1240", opted_out},    CodeMeaning{"1241", soft_bounced},
    CodeMeaning{"1250", soft_bounced}, CodeMeaning{"1260", soft_bounced},
    CodeMeaning{"1270", soft_bounced}, CodeMeaning{"1280", soft_bounced},
    CodeMeaning{"1290", soft_bounced}, CodeMeaning{"1300", hard_bounced},
    CodeMeaning{"1310", soft_bounced}, CodeMeaning{"1320", accepted},
    CodeMeaning{"1330", soft_bounced}, CodeMeaning{"1331", soft_bounced},
    CodeMeaning{"1340", soft_bounced}, CodeMeaning{"1350", soft_bounced},
    CodeMeaning{"1360", expired},      CodeMeaning{"1370", soft_bounced},
    CodeMeaning{"1380", failed},       CodeMeaning{"1381", failed},
    CodeMeaning{"1382", failed},
};

ReceiptEvent look_up(std::span<const CodeMeaning> meanings, std::string_view code,
                     ReceiptEvent otherwise) {
    for (const auto& meaning : meanings) {
        if (meaning.code == code) return meaning.event;
    }
    return otherwise;
}

}  // namespace

std::optional<ReceiptEvent> vonage_sms_event(std::string_view status, std::string_view error_code) {
    if (status == "delivered") return delivered;
    if (status == "accepted") return accepted;
    if (status == "expired") return expired;
    if (status == "failed" || status == "rejected" || status == "unknown") {
        return look_up(sms_codes, error_code, soft_bounced);
    }
    return std::nullopt;  // buffered
}

std::optional<ReceiptEvent> vonage_message_event(std::string_view status,
                                                 std::string_view error_code) {
    if (status == "submitted") return accepted;
    if (status == "delivered") return delivered;
    if (status == "read") return opened;
    if (status == "undeliverable") return look_up(message_codes, error_code, soft_bounced);
    if (status == "rejected") return look_up(message_codes, error_code, failed);
    return std::nullopt;
}

}  // namespace fanfare::receipts
