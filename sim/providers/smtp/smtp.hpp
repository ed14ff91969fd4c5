#pragma once

#include "sim/providers/provider.hpp"

namespace fanfare::sim {

/// Where the SMTP listener hands a message: method "SMTP", headers mail-from and rcpt-to, and
/// the message without dots as the body. Answers are whole reply lines, CRLF included.
inline constexpr std::string_view smtp_path = "/smtp";

/// A mail server: looks at a message as strictly as the standards are.
[[nodiscard]] std::unique_ptr<SimulatedProvider> make_smtp();

}  // namespace fanfare::sim
