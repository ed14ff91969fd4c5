#include "core/error/failure.hpp"
#include "sim/webhooks/event.hpp"

#include <array>

namespace fanfare::sim {

std::string_view to_string(EventKind kind) noexcept {
    static constexpr std::array<std::string_view, event_kind_count> names = {
        "none",    "accepted",     "deferred",   "delivered",    "opened",
        "clicked", "unsubscribed", "complained", "soft_bounced", "hard_bounced"};
    return names[static_cast<std::size_t>(kind)];
}

HttpRequest compose(std::span<const Event> events, const Keys& keys, const Posting& posting) {
    ensure(!events.empty(), "a webhook tells of an event");
    const auto& event = events.front();
    switch (event.delivery.scheme) {
        case Scheme::mailgun:
            return compose_mailgun(event, keys, posting);
        case Scheme::sendgrid:
            return compose_sendgrid(events, keys, posting);
        case Scheme::ses:
            return compose_ses(event, keys, posting);
        case Scheme::twilio:
            return compose_twilio(event, keys, posting);
        case Scheme::vonage_sms:
            return compose_vonage_sms(event, keys, posting);
        case Scheme::vonage_messages:
            return compose_vonage_messages(event, keys, posting);
    }
    return {};
}

}  // namespace fanfare::sim
