#include "core/rendering/utf8.hpp"

#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

namespace fanfare {

char32_t next_character(std::string_view text, std::size_t& offset) noexcept {
    UChar32 c = 0;
    // The macro mixes char, int and uint8_t freely.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
    U8_NEXT(text.data(), offset, text.size(), c);
#pragma GCC diagnostic pop
    return c < 0 ? not_utf8 : static_cast<char32_t>(c);
}

bool is_ignorable(char32_t character) noexcept {
    if (character == not_utf8 || character == 0xAD) return false;
    const auto c = static_cast<UChar32>(character);
    // Interlinear annotations are meant for programs.
    return u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0 ||
           (c >= 0xFFF9 && c <= 0xFFFB);
}

bool is_right_to_left(char32_t character) noexcept {
    if (character == not_utf8) return false;
    const auto direction = u_charDirection(static_cast<UChar32>(character));
    return direction == U_RIGHT_TO_LEFT || direction == U_RIGHT_TO_LEFT_ARABIC;
}

std::string case_folded(std::string_view text) {
    const icu::StringPiece piece{text.data(), static_cast<std::int32_t>(text.size())};
    std::string folded;
    icu::UnicodeString::fromUTF8(piece).foldCase().toUTF8String(folded);
    return folded;
}

}  // namespace fanfare
