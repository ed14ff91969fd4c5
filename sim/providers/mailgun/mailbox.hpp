#pragma once

#include <string_view>
#include <vector>

namespace fanfare::sim {

/// "Name <a@b>" or "a@b" -> "a@b"; "" when it is not a valid mailbox.
[[nodiscard]] std::string_view address_of_mailbox(std::string_view mailbox) noexcept;

/// Appends the addresses of a comma list. False at the first that is not valid.
[[nodiscard]] bool append_addresses(std::string_view list, std::vector<std::string_view>& out);

}  // namespace fanfare::sim
