#pragma once

#include <string>
#include <string_view>

/// bytea in PostgreSQL's text form.
namespace fanfare::ledger {

/// "\x0a1b".
[[nodiscard]] std::string encode_bytea(std::string_view bytes);

/// The bytes of "\x0a1b", as PostgreSQL writes it.
[[nodiscard]] std::string decode_bytea(std::string_view hex);

}  // namespace fanfare::ledger
