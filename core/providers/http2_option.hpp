#pragma once

#include "core/providers/options.hpp"

/// The option `http2` of the vendors that speak HTTP/2 only: by which engine we speak it to them.
namespace fanfare {

inline constexpr OptionDoc http2_option{"http2", false, false, "nghttp2",
                                        "what speaks HTTP/2: nghttp2, or libcurl at more cost"};

/// Adds a problem unless it is one of the two.
void check_http2_option(OptionReader& reader);

/// True where nghttp2 is to carry the account's requests out; for accounts of such a vendor only.
/// Never without TLS: tests that do without speak HTTP/1.1 there.
[[nodiscard]] bool wants_nghttp2(const AccountSettings& account);

}  // namespace fanfare
