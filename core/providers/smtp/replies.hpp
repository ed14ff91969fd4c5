#pragma once

#include "core/providers/smtp/reply_text.hpp"

#include <cstdint>
#include <string_view>

namespace fanfare::smtp {

/// Whom a refusal speaks of. A mail server refuses the recipient, or the message, or us: only the
/// first may ever put anybody on the suppression list. Where words and codes disagree it is never
/// the mailbox: a doubt costs one more mail, a wrong guess costs a reader for good.
enum class Topic : std::uint8_t {
    unclear,
    mailbox,  // It does not exist, or takes nothing any more.
    full,     // It exists.
    passing,  // It exists, or may: too fast, too early.
    message,  // What it holds.
    login,    // Ours is asked for.
    account,  // Ours at a mail server: its password, plan, state.
    relay,    // It does not send on for us.
    sender,   // Our address, our domain, what it proves.
    host,     // Our server: its name, address, reputation, country.
    limit,    // How much we may send.
    policy,   // The receiver's rules, whatever they are.
};

/// True for what is of us beyond doubt, whatever code stands beside it.
[[nodiscard]] constexpr bool is_of_us(Topic topic) noexcept {
    return topic == Topic::login || topic == Topic::account || topic == Topic::relay ||
           topic == Topic::sender || topic == Topic::host || topic == Topic::limit;
}

struct Reply {
    int status = 0;
    Enhanced code;
    std::string_view text;
    bool after_data = false;  // Said when the message was known: then it speaks of that first.
};

/// True for the statuses with which a server asks for a login (RFC 4954).
[[nodiscard]] constexpr bool asks_for_login(int status) noexcept {
    return status == 530 || status == 534 || status == 535 || status == 538;
}

/// "<our address>: user unknown" is no word about the recipient.
[[nodiscard]] Topic find_topic(const Reply& reply, const OurNames& ours);

}  // namespace fanfare::smtp
