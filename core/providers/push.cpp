#include "core/providers/push.hpp"

#include "core/crypto/digest.hpp"

#include <algorithm>

namespace fanfare {

std::string_view collapse_id(std::string_view key, std::string& digest) {
    constexpr std::size_t bytes_max = 64;
    const bool fits = key.size() <= bytes_max && std::all_of(key.begin(), key.end(), [](char c) {
                          return c > ' ' && c < 0x7f;
                      });
    if (fits) return key;
    digest = hex(compute_digest(Digest::sha256, key));
    return digest;
}

}  // namespace fanfare
