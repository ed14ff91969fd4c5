#include "producer/api/text_validation.hpp"

#include "core/rendering/utf8.hpp"

namespace fanfare::api {

bool is_plain(std::string_view text, std::size_t bytes_max) noexcept {
    if (text.empty() || text.size() > bytes_max) return false;
    for (std::size_t at = 0; at < text.size();) {
        const auto character = next_character(text, at);
        if (character == not_utf8 || character < 0x20 || character == 0x7f) return false;
    }
    return true;
}

}  // namespace fanfare::api
