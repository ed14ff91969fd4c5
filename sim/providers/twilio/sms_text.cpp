#include "sim/providers/twilio/sms_text.hpp"

#include <algorithm>
#include <cstdint>

namespace fanfare::sim {

namespace {

// Of the basic table beyond ASCII (GSM 03.38), sorted.
constexpr char32_t basic[] = {0xa1,  0xa3,  0xa4,  0xa5,  0xa7,  0xbf,  0xc4,  0xc5,  0xc6, 0xc7,
                              0xc9,  0xd1,  0xd6,  0xd8,  0xdc,  0xdf,  0xe0,  0xe4,  0xe5, 0xe6,
                              0xe8,  0xe9,  0xec,  0xf1,  0xf2,  0xf6,  0xf8,  0xf9,  0xfc, 0x393,
                              0x394, 0x398, 0x39b, 0x39e, 0x3a0, 0x3a3, 0x3a6, 0x3a8, 0x3a9};

// Septets of a character; 0 when GSM-7 has none.
std::size_t septets(char32_t c) noexcept {
    if (c < 0x80) {
        if (c == '\n' || c == '\r') return 1;
        if (c < 0x20 || c == 0x7f || c == '`') return c == '\f' ? 2 : 0;
        return std::string_view{"^{}[]~\\|"}.find(static_cast<char>(c)) == std::string_view::npos
                   ? 1
                   : 2;
    }
    if (c == 0x20ac) return 2;
    return std::binary_search(std::begin(basic), std::end(basic), c) ? 1 : 0;
}

char32_t next_character(std::string_view& text) noexcept {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto first = at(0);
    const std::size_t size = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    char32_t c = size == 1 ? first : first & (0x7fU >> size);
    for (std::size_t i = 1; i < std::min(size, text.size()); ++i) c = c << 6 | (at(i) & 0x3fU);
    text.remove_prefix(std::min(size, text.size()));
    return c;
}

std::size_t segments(std::size_t units, std::size_t alone, std::size_t each) noexcept {
    return units <= alone ? 1 : (units + each - 1) / each;
}

}  // namespace

std::size_t count_segments(std::string_view text) noexcept {
    std::size_t gsm = 0;
    std::size_t ucs = 0;
    bool all_gsm = true;
    while (!text.empty()) {
        const auto c = next_character(text);
        const auto size = septets(c);
        all_gsm = all_gsm && size > 0;
        gsm += size;
        ucs += c > 0xffff ? 2 : 1;
    }
    return all_gsm ? segments(gsm, 160, 153) : segments(ucs, 70, 67);
}

bool is_gsm(std::string_view text) noexcept {
    while (!text.empty()) {
        if (septets(next_character(text)) == 0) return false;
    }
    return true;
}

}  // namespace fanfare::sim
