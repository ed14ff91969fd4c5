#pragma once

#include "core/http/mail.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// One HTTP request as bytes: a POST, unless it asks for GET.
struct HttpRequest {
    std::string url;                   // Absolute, https (http only where allowed by config).
    std::vector<std::string> headers;  // "Name: value"; see header_line().
    std::string body;
    bool http2 = false;                  // Ask for HTTP/2 (with ALPN; never cleartext upgrade).
    bool get = false;                    // Without a body; may be sent again by anyone.
    std::optional<MailEnvelope> mail{};  // Then `url` is smtp[s]://host:port/hello-name.
};

/// How far an exchange got. Decides whether it can be repeated without harm.
enum class Transport : std::uint8_t {
    answered,  // A complete answer arrived: look at `status`.
    not_sent,  // DNS, connect or TLS failed: the provider cannot have processed anything.
    in_doubt,  // Bytes left us and no complete answer came back.
};

/// One HTTP answer, bounded: bodies are cut at 1 MiB (and then in doubt). Of a mail: the
/// code and the text (4 KiB at most) of the last reply, and what it answered.
struct HttpAnswer {
    Transport transport = Transport::not_sent;
    int status = 0;
    MailStep step = MailStep::none;
    std::string body;
    // The only headers any provider needs, raw, empty when absent.
    std::string retry_after;
    std::string rate_limit_reset;
    std::string message_id;  // X-Message-Id, apns-id, or the envelope's
    std::string error_type;  // x-amzn-ErrorType
    std::string date;        // Date
    std::string fault;       // The transport's fault in words; no recipient data.
    std::chrono::microseconds elapsed{0};
};

/// Makes it as new. What is said next goes where this was said, without memory of its own; the room
/// of a text of more than 4 KiB is let go.
void make_new(HttpAnswer& answer);

/// A byte of a header line, a space in the place of what could begin another one.
[[nodiscard]] constexpr char in_header_line(char byte) noexcept {
    return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f ? ' ' : byte;
}
/// "Name: value" with every byte below 0x20 and 0x7f of `value` replaced by a space, so
/// that no value can begin a header line of its own.
[[nodiscard]] std::string header_line(std::string_view name, std::string_view value);
/// The same into `line`, which is reused.
void write_header_line(std::string_view name, std::string_view value, std::string& line);

}  // namespace fanfare
