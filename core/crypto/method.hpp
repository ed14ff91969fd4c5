#pragma once

#include "core/crypto/digest.hpp"

struct evp_md_st;

namespace fanfare {

/// OpenSSL's own object for a digest, for what signs and verifies with its keys.
[[nodiscard]] const evp_md_st* find_method(Digest digest) noexcept;

}  // namespace fanfare
