#pragma once

#include "core/providers/smtp/reply_text.hpp"

#include <cstdint>

namespace fanfare::smtp {

/// How surely words say that a mailbox is not there. "Account", "address" or "disabled" are said of
/// ours as well: they count beside a code or a name of the recipient only.
enum class MailboxWords : std::uint8_t { none, weak, strong };

[[nodiscard]] MailboxWords mailbox_words(const ReplyText& text);

}  // namespace fanfare::smtp
