#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::sim {

/// How a provider's events look and are signed.
enum class Scheme : std::uint8_t { mailgun, sendgrid, ses, twilio, vonage_sms, vonage_messages };

/// One accepted message to one person, with what the provider will say again in its events.
struct Delivery {
    Scheme scheme = Scheme::mailgun;
    std::string address;
    std::string message_id;  // As events name it.
    std::string sender;
    std::string callback;  // URL of this message's events; "": the one of the settings.
    /// What comes back, as the provider gives it back: Mailgun user-variables, SendGrid custom
    /// arguments (message and personalization merged), SES tags, Vonage "client-ref" or
    /// "client_ref", Twilio "MessagingServiceSid".
    std::vector<std::pair<std::string, std::string>> data;
};

}  // namespace fanfare::sim
