#include "producer/receipts/mailgun.hpp"
#include "producer/receipts/mended.hpp"
#include "producer/receipts/receiver.hpp"
#include "producer/receipts/sendgrid.hpp"
#include "producer/receipts/ses.hpp"
#include "producer/receipts/twilio.hpp"
#include "producer/receipts/vonage.hpp"

#include <algorithm>
#include <array>

namespace fanfare {
namespace {

/// No provider's address or event id is longer; what is longer is left out.
constexpr std::size_t address_bytes_max = 320;
constexpr std::size_t id_bytes_max = 200;

struct Entry {
    std::string_view type;
    std::unique_ptr<Receiver> (*make)(const AccountSettings&, const ReceiverContext&);
};

constexpr std::array entries{
    Entry{"mailgun", receipts::make_mailgun}, Entry{"sendgrid", receipts::make_sendgrid},
    Entry{"ses", receipts::make_ses},         Entry{"twilio", receipts::make_twilio},
    Entry{"vonage", receipts::make_vonage},
};

/// What is in <> of "Name <name@domain>", what is before the remark of "name@domain (Name)".
std::string_view bare_address(std::string_view text) noexcept {
    const auto trimmed = [](std::string_view part) {
        while (part.starts_with(' ')) part.remove_prefix(1);
        while (part.ends_with(' ')) part.remove_suffix(1);
        return part;
    };
    text = trimmed(text);
    if (text.ends_with(')')) text = trimmed(text.substr(0, text.find(" (")));
    const auto open = text.rfind('<');
    if (!text.ends_with('>') || open == std::string_view::npos) return text;
    return trimmed(text.substr(open + 1, text.size() - open - 2));
}

/// UTF-8 may stand in an address only, and nothing is let through that Kafka's readers refuse.
std::string bounded(std::string_view text, std::size_t bytes_max, bool ascii) {
    const bool good = text.size() <= bytes_max && receipts::is_utf8(text) &&
                      std::none_of(text.begin(), text.end(), [=](char c) {
                          const auto byte = static_cast<unsigned char>(c);
                          return byte < 0x20 || byte == 0x7f || (ascii && byte > 0x7f);
                      });
    return good ? std::string{text} : std::string{};
}

}  // namespace

std::unique_ptr<Receiver> make_receiver(const AccountSettings& account,
                                        const ReceiverContext& context) {
    for (const auto& entry : entries) {
        if (entry.type == account.type) return entry.make(account, context);
    }
    return nullptr;
}

void ReceiptList::add(std::string_view reference, ReceiptEvent event, std::int64_t at_unix,
                      std::string_view address, std::string_view event_id) {
    Receipt receipt;
    auto ours = references_.read(reference, channel_);
    if (!reference.empty() && !ours) ++received_.foreign;
    if (ours) {
        receipt.reference = std::move(*ours);
    } else {
        receipt.reference.channel = channel_;
    }
    receipt.event = event;
    receipt.at_unix = std::max<std::int64_t>(at_unix, 0);
    if (channel_ == Channel::email) address = bare_address(address);
    receipt.address = bounded(address, address_bytes_max, false);
    receipt.event_id = bounded(event_id, id_bytes_max, true);
    received_.receipts.push_back(std::move(receipt));
}

void ReceiptList::add_ours(std::string_view reference, ReceiptEvent event, std::int64_t at_unix,
                           std::string_view address, std::string_view event_id) {
    if (references_.read(reference, channel_)) {
        add(reference, event, at_unix, address, event_id);
    } else {
        ++received_.foreign;
    }
}

AcceptedWebhook ReceiptList::take(std::string token) {
    received_.token = std::move(token);
    return std::move(received_);
}

std::string account_value(const AccountSettings& account, const std::string& name) {
    if (const auto found = account.secrets.find(name); found != account.secrets.end()) {
        return found->second.reveal();
    }
    const auto found = account.options.find(name);
    return found == account.options.end() ? std::string{} : found->second;
}

}  // namespace fanfare
