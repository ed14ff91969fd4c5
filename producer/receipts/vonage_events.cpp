#include "producer/receipts/vonage_events.hpp"

#include <array>
#include <span>

namespace fanfare::receipts {
namespace {

using enum ReceiptEvent;

struct VonageCode {
    std::string_view code;
    ReceiptEvent event;
};

/// err-code of the SMS API; every other one leaves the number alone: soft_bounced.
constexpr std::array sms_codes{
    VonageCode{"3", hard_bounced},   // Gone for good.
    VonageCode{"4", hard_bounced},   // Barred by the user.
    VonageCode{"9", opted_out},      // Told the operator to stop.
    VonageCode{"10", failed},        // The message itself.
    VonageCode{"50", failed},        // Filters of regulation: the sender's, not the person's ...
    VonageCode{"51", failed},        //
    VonageCode{"52", failed},        //
    VonageCode{"53", soft_bounced},  // ... but for consent.
    VonageCode{"54", failed},
};

/// Codes of the Messages API, whose errors of sending may come as a status too.
constexpr std::array message_codes{
    VonageCode{"1000", failed},       VonageCode{"1010", failed},
    VonageCode{"1020", failed},       VonageCode{"1021", failed},
    VonageCode{"1022", failed},       VonageCode{"1030", soft_bounced},
    VonageCode{"1040", soft_bounced}, VonageCode{"1050", hard_bounced},
    VonageCode{"1060", failed},       VonageCode{"1070", failed},
    VonageCode{"1080", failed},       VonageCode{"1090", failed},
    VonageCode{"1100", soft_bounced}, VonageCode{"1110", failed},
    VonageCode{"1120", soft_bounced}, VonageCode{"1130", failed},
    VonageCode{"1140", failed},       VonageCode{"1150", failed},
    VonageCode{"1160", failed},       VonageCode{"1170", hard_bounced},
    VonageCode{"1180", soft_bounced}, VonageCode{"1190", hard_bounced},
    VonageCode{"1200", soft_bounced}, VonageCode{"1210", soft_bounced},
    VonageCode{"1220", soft_bounced}, VonageCode{"1230", soft_bounced},
    VonageCode{"1240", opted_out},    VonageCode{"1241", soft_bounced},
    VonageCode{"1250", soft_bounced}, VonageCode{"1260", soft_bounced},
    VonageCode{"1270", soft_bounced}, VonageCode{"1280", soft_bounced},
    VonageCode{"1290", soft_bounced}, VonageCode{"1300", hard_bounced},
    VonageCode{"1310", soft_bounced}, VonageCode{"1320", accepted},
    VonageCode{"1330", soft_bounced}, VonageCode{"1331", soft_bounced},
    VonageCode{"1340", soft_bounced}, VonageCode{"1350", soft_bounced},
    VonageCode{"1360", expired},      VonageCode{"1370", soft_bounced},
    VonageCode{"1380", failed},       VonageCode{"1381", failed},
    VonageCode{"1382", failed},
};

ReceiptEvent look_up(std::span<const VonageCode> meanings, std::string_view code,
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
