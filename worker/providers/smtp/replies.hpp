#pragma once

#include <cstdint>
#include <string_view>

namespace fanfare::smtp {

/// RFC 3463: "5.1.1" at the beginning of a reply, or "#5.1.1" in it. All 0 where there is none.
struct Enhanced {
    int category = 0;
    int subject = 0;
    int detail = 0;

    [[nodiscard]] constexpr bool is(int wanted_subject, int wanted_detail) const noexcept {
        return category != 0 && subject == wanted_subject && detail == wanted_detail;
    }
};
[[nodiscard]] Enhanced read_enhanced(std::string_view text, int status) noexcept;

/// Whom a refusal speaks of. A mail server refuses the recipient, or the message, or us: only the
/// first may ever put anybody on the suppression list.
enum class Topic : std::uint8_t {
    unclear,
    mailbox,  // It does not exist, or takes nothing any more.
    full,     // It exists.
    login,    // Ours at this server.
    relay,    // It does not send on for us.
    sender,   // Our address, our domain, what it proves.
    host,     // Our server: its name, address, reputation, country.
    limit,    // How much we may send.
    policy,   // The receiver's rules, whatever they are.
};

/// True for what is of us beyond doubt, whatever code stands beside it.
[[nodiscard]] constexpr bool is_of_us(Topic topic) noexcept {
    return topic == Topic::relay || topic == Topic::sender || topic == Topic::host ||
           topic == Topic::limit;
}

struct Reply {
    int status = 0;
    Enhanced code;
    std::string_view text;
};

/// `sender` is our own address: "<our address>: user unknown" is no word about the recipient.
[[nodiscard]] Topic topic_of(const Reply& reply, std::string_view sender) noexcept;

}  // namespace fanfare::smtp
