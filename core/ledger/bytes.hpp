#pragma once

#include <string>
#include <string_view>

/// bytea in PostgreSQL's text form.
namespace fanfare::ledger {

/// "\x0a1b".
[[nodiscard]] std::string hex_of(std::string_view bytes);

/// The bytes of "\x0a1b", as PostgreSQL writes it.
[[nodiscard]] std::string bytes_of(std::string_view hex);

}  // namespace fanfare::ledger
