#pragma once

#include "core/providers/options.hpp"

/// The option `http1` of the vendors that speak HTTP/1.1: by which engine we speak it to them.
namespace fanfare {

inline constexpr OptionDoc http1_option{"http1", false, false, "beast",
                                        "what speaks HTTP/1.1: beast, or libcurl at more cost"};

/// Adds a problem unless it is one of the two.
void check_http1_option(OptionReader& reader);

/// True where Boost.Beast is to read the account's answers; for accounts of such a vendor only.
[[nodiscard]] bool wants_beast(const AccountSettings& account);

}  // namespace fanfare
