#pragma once

#include "core/domain/words.hpp"

#include <optional>
#include <string_view>

namespace fanfare {

/// True when an address may be put on the wire to a provider.
///
/// Stricter than the standards on purpose: what passes can neither begin a header line,
/// name a second recipient, nor open a provider's template word. The send stage asks
/// before it fills a batch; compose() aborts on an address that was not asked about.
///
///   email  dot-atom@host.name, ASCII, at most 254 bytes, no '%'
///   sms    E.164: '+', then 7 to 15 digits of which the first is not 0
///   push   1 to 4096 bytes of A-Z a-z 0-9 _ - :
[[nodiscard]] bool address_is_sendable(Channel channel, std::string_view address) noexcept;

/// A sender: "name@domain" or "Name <name@domain>", the name perhaps in quotes.
struct Mailbox {
    std::string_view name;  // "" where there is none; without its quotes.
    std::string_view address;
};

/// Views into `text`; nothing unless it is one line with one sendable address.
[[nodiscard]] std::optional<Mailbox> parse_mailbox(std::string_view text) noexcept;

/// True for a host name of at least two labels whose last one is not a number.
[[nodiscard]] bool is_host_name(std::string_view host) noexcept;

}  // namespace fanfare
