#include "core/domain/uuid.hpp"

#include <utility>

namespace fanfare {

bool is_uuid(std::string_view text) noexcept {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const char c = text[i];
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
    }
    return true;
}

std::optional<std::string> parse_uuid(std::string_view text) {
    std::string uuid{text};
    for (char& c : uuid) {
        if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    }
    return is_uuid(uuid) ? std::optional{std::move(uuid)} : std::nullopt;
}

}  // namespace fanfare
