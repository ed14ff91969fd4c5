#include "producer/receipts/ses_events.hpp"

#include "producer/receipts/document.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <algorithm>
#include <optional>

namespace fanfare::receipts {
namespace {

using enum ReceiptEvent;

/// What one type of event means, and where it stands.
struct Meaning {
    ReceiptEvent event;
    std::string_view object;  // "bounce": named after the type.
    std::string_view people;  // "bouncedRecipients"; "" for mail.destination.
};

std::optional<Meaning> meaning_of(std::string_view type, const Object& root) {
    if (type == "Send") return Meaning{accepted, "send", ""};
    if (type == "Delivery") return Meaning{delivered, "delivery", "recipients"};
    if (type == "Open") return Meaning{opened, "open", ""};
    if (type == "Click") return Meaning{clicked, "click", ""};
    if (type == "Complaint") {
        // A mail taken out of the spam folder again, and a report on DKIM: nobody complains.
        const auto kind = text_of(object_of(root, "complaint"), "complaintFeedbackType");
        if (kind == "not-spam" || kind == "auth-failure") return std::nullopt;
        return Meaning{complained, "complaint", "complainedRecipients"};
    }
    if (type == "Bounce") {
        const bool permanent = text_of(object_of(root, "bounce"), "bounceType") == "Permanent";
        return Meaning{permanent ? hard_bounced : soft_bounced, "bounce", "bouncedRecipients"};
    }
    // Of the content, whoever the person: nothing that should ever suppress an address.
    if (type == "Reject") return Meaning{failed, "reject", ""};
    if (type == "Rendering Failure") return Meaning{failed, "failure", ""};
    if (type == "Subscription") {
        const auto& wanted = object_of(object_of(root, "subscription"), "newTopicPreferences");
        const auto* const all = wanted.if_contains("unsubscribeAll");
        const bool gone = all != nullptr && all->is_bool() && all->get_bool();
        if (gone) return Meaning{unsubscribed, "subscription", ""};
    }
    return std::nullopt;  // DeliveryDelay is SES's own to retry.
}

/// "<job>.<chunk>.<position>.<tag>" of the message tag, where the first three dots are '_'.
std::string reference_of(const Object& mail) {
    const auto* const values = array_of(object_of(mail, "tags"), "fanfare");
    if (values == nullptr || values->empty() || !values->front().is_string()) return {};
    const auto& text = values->front().get_string();
    std::string reference{text.data(), text.size()};
    std::size_t at = 0;
    for (int i = 0; i < 3; ++i) {
        at = reference.find('_', at);
        if (at == std::string::npos) return reference;
        reference[at] = '.';
    }
    return reference;
}

std::vector<std::string_view> addresses_of(const boost::json::array* people) {
    std::vector<std::string_view> addresses;
    if (people == nullptr) return addresses;
    for (const auto& person : *people) {
        if (person.is_string()) {
            addresses.emplace_back(person.get_string().data(), person.get_string().size());
        } else if (person.is_object()) {
            addresses.push_back(text_of(person.get_object(), "emailAddress"));
        }
    }
    return addresses;
}

}  // namespace

bool read_ses_event(std::string_view message, std::string_view message_id, ReceiptList& list) {
    const auto document = parse_document(message);
    if (!document || !document->is_object()) return false;
    const auto& root = document->get_object();
    auto type = text_of(root, "eventType");
    if (type.empty()) type = text_of(root, "notificationType");
    const auto meaning = meaning_of(type, root);
    if (!meaning) return true;
    const auto& mail = object_of(root, "mail");
    const auto& event = object_of(root, meaning->object);
    auto addresses = addresses_of(meaning->people.empty() ? array_of(mail, "destination")
                                                          : array_of(event, meaning->people));
    if (addresses.empty()) addresses.emplace_back();
    auto at = text_of(event, "timestamp");
    if (at.empty()) at = text_of(mail, "timestamp");
    const auto reference = reference_of(mail);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const auto id = i == 0 ? std::string{message_id} : fmt::format("{}.{}", message_id, i);
        list.add(reference, meaning->event, moment_seconds(at), addresses[i], id);
    }
    return true;
}

}  // namespace fanfare::receipts
