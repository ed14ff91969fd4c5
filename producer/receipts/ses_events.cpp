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

std::optional<Meaning> find_meaning(std::string_view type, const Object& root) {
    if (type == "Send") return Meaning{accepted, "send", ""};
    if (type == "Delivery") return Meaning{delivered, "delivery", "recipients"};
    if (type == "Open") return Meaning{opened, "open", ""};
    if (type == "Click") return Meaning{clicked, "click", ""};
    if (type == "Complaint") {
        // A mail taken out of the spam folder again, and a report on DKIM: nobody complains.
        const auto kind = get_text(get_object(root, "complaint"), "complaintFeedbackType");
        if (kind == "not-spam" || kind == "auth-failure") return std::nullopt;
        return Meaning{complained, "complaint", "complainedRecipients"};
    }
    if (type == "Bounce") {
        const bool permanent = get_text(get_object(root, "bounce"), "bounceType") == "Permanent";
        return Meaning{permanent ? hard_bounced : soft_bounced, "bounce", "bouncedRecipients"};
    }
    // Of the content, whoever the person: nothing that should ever suppress an address.
    if (type == "Reject") return Meaning{failed, "reject", ""};
    if (type == "Rendering Failure") return Meaning{failed, "failure", ""};
    if (type == "Subscription") {
        const auto& wanted = get_object(get_object(root, "subscription"), "newTopicPreferences");
        const auto* const all = wanted.if_contains("unsubscribeAll");
        const bool gone = all != nullptr && all->is_bool() && all->get_bool();
        if (gone) return Meaning{unsubscribed, "subscription", ""};
    }
    return std::nullopt;  // DeliveryDelay is SES's own to retry.
}

/// "<job>.<chunk>.<position>.<tag>" of the message tag, where the first three dots are '_'.
std::string find_reference(const Object& mail) {
    const auto* const values = get_array(get_object(mail, "tags"), "fanfare");
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

std::vector<std::string_view> read_addresses(const boost::json::array* people) {
    std::vector<std::string_view> addresses;
    if (people == nullptr) return addresses;
    for (const auto& person : *people) {
        if (person.is_string()) {
            addresses.emplace_back(person.get_string().data(), person.get_string().size());
        } else if (person.is_object()) {
            addresses.push_back(get_text(person.get_object(), "emailAddress"));
        }
    }
    return addresses;
}

}  // namespace

bool read_ses_event(std::string_view message, std::string_view message_id, ReceiptList& list) {
    const auto document = parse_document(message);
    if (!document || !document->is_object()) return false;
    const auto& root = document->get_object();
    auto type = get_text(root, "eventType");
    if (type.empty()) type = get_text(root, "notificationType");
    const auto meaning = find_meaning(type, root);
    if (!meaning) return true;
    const auto& mail = get_object(root, "mail");
    const auto& event = get_object(root, meaning->object);
    auto addresses = read_addresses(meaning->people.empty() ? get_array(mail, "destination")
                                                            : get_array(event, meaning->people));
    if (addresses.empty()) addresses.emplace_back();
    auto at = get_text(event, "timestamp");
    if (at.empty()) at = get_text(mail, "timestamp");
    const auto reference = find_reference(mail);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const auto id = i == 0 ? std::string{message_id} : fmt::format("{}.{}", message_id, i);
        list.add(reference, meaning->event, moment_seconds(at), addresses[i], id);
    }
    return true;
}

}  // namespace fanfare::receipts
