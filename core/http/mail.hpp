#pragma once

#include <cstdint>
#include <string>

namespace fanfare {

/// What makes a request a mail over SMTP: one sender, one recipient. The body is the whole
/// message with CRLF line ends; dots are stuffed on the way.
struct MailEnvelope {
    std::string from;       // Bare addresses, ASCII.
    std::string recipient;  // One only: its answer is the exchange's. "": a login, and no mail.
    std::string username;   // "": no login.
    std::string password;
    std::string message_id;  // Of the body; comes back in HttpAnswer::message_id.
    bool cleartext = false;  // No TLS: obeyed only with allow_http and a loopback host.
    bool operator==(const MailEnvelope&) const = default;
};

/// Which command the last reply of a mail server answered.
enum class MailStep : std::uint8_t {
    none,  // No mail, or no reply.
    connect,
    hello,
    starttls,
    login,
    sender,
    recipient,
    data,
    end_of_data,  // The whole message: only here a 250 says that it was taken.
};

}  // namespace fanfare
