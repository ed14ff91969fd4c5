#pragma once

#include "core/domain/vocabulary.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The forms an address has, for every door that it comes in by and for whoever sends to it.
namespace fanfare {

/// Why a text can be no address of its channel.
enum class AddressFault : std::uint8_t {
    none,
    missing,     // Nothing that anybody could see.
    unreadable,  // No UTF-8, or control characters within.
    too_long,
    mailbox,  // What stands before the @, or that there is none.
    // Mailboxes that there are, and that not every provider carries mail to.
    mailbox_beyond_ascii,
    mailbox_in_quotes,
    mailbox_with_percent,
    domain,
    no_number,
    impossible_number,  // No country has such a one.
    token,
};
/// What is wrong, to go after "the address".
[[nodiscard]] std::string_view describe(AddressFault fault) noexcept;

/// Providers leave it out of numbers in receipts; people do so of numbers that mean something else
/// abroad: with a plus before it "(312) 555-0100" would be somebody in the Netherlands. What people
/// of North America write before an area code is their country's code: "1-555-010-0019", with the
/// 1 apart.
enum class Plus : std::uint8_t { needed, north_american, optional };

/// Reads an address as a system, a provider or a person wrote it. `sent` becomes the form that
/// is sent to: without what nobody sees around and in it, a name, "mailto:" or "tel:", and quotes
/// that are not needed; an e-mail address keeps its case and has its domain in A-labels; a number
/// is E.164. What is sent to is
/// sendable, and read again it is the same.
[[nodiscard]] AddressFault read_address(Channel channel, std::string_view written,
                                        std::string& sent, Plus plus = Plus::needed);

/// The form in which an address that can be sent to is compared: for not sending and as one of
/// two people's. Letter case does not count in an e-mail address.
[[nodiscard]] std::string compared_form(Channel channel, std::string_view sent);
/// The same into `form`, which is reused.
void write_compared_form(Channel channel, std::string_view sent, std::string& form);

/// The same for what somebody wrote; nothing where that can be no address.
[[nodiscard]] std::optional<std::string> find_compared_form(Channel channel,
                                                            std::string_view written,
                                                            Plus plus = Plus::needed);

/// The form in which the version before compares it. Its programs run beside those of this one.
[[nodiscard]] std::string former_form(Channel channel, std::string_view sent);
/// The same into `form`, which is reused.
void write_former_form(Channel channel, std::string_view sent, std::string& form);

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
