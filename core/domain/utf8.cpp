#include "core/domain/utf8.hpp"

#include <unicode/utf8.h>

namespace fanfare {

bool is_utf8(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        UChar32 c = 0;
        // The macro mixes char, int and uint8_t freely.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
        U8_NEXT(text.data(), at, text.size(), c);
#pragma GCC diagnostic pop
        if (c < 0) return false;
    }
    return true;
}

}  // namespace fanfare
