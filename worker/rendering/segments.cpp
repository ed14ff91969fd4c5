#include "worker/rendering/segments.hpp"

#include "worker/rendering/utf8.hpp"

#include <algorithm>

namespace fanfare {
namespace {

struct Limits {
    std::size_t alone;   // One message.
    std::size_t joined;  // Each of several: six bytes go to the header that joins them.
};
constexpr Limits gsm_limits{160, 153};
constexpr Limits unicode_limits{70, 67};

// 3GPP TS 23.038, 6.2.1 and 6.2.1.1. The escape to the extension table is no character.
constexpr std::u32string_view gsm_basic{
    U"@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    U"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"};
constexpr std::u32string_view gsm_extension{U"\f^{}\\[~]|€"};

/// Septets of a character; 0 when GSM-7 does not have it.
std::size_t septets(char32_t c) noexcept {
    if (gsm_basic.find(c) != std::u32string_view::npos) return 1;
    if (gsm_extension.find(c) != std::u32string_view::npos) return 2;
    return 0;
}

/// Fills segments one character after the other.
class Filling {
public:
    explicit Filling(Limits limits) : limits_{limits} {}

    void add(std::size_t units) noexcept {
        units_ += units;
        if (room_ < units) {
            ++joined_count_;
            room_ = limits_.joined;
        }
        room_ -= units;
    }

    [[nodiscard]] std::size_t units() const noexcept { return units_; }
    [[nodiscard]] std::size_t count() const noexcept {
        return units_ <= limits_.alone ? std::min<std::size_t>(units_, 1) : joined_count_;
    }

private:
    Limits limits_;
    std::size_t units_ = 0;
    std::size_t joined_count_ = 0;
    std::size_t room_ = 0;
};

}  // namespace

Segments count_segments(std::string_view utf8) {
    Filling gsm{gsm_limits};
    Filling unicode{unicode_limits};
    bool is_gsm = true;
    for (std::size_t offset = 0; offset < utf8.size();) {
        const auto c = next_character(utf8, offset);
        unicode.add(c > 0xFFFF && c != not_utf8 ? 2 : 1);
        const auto needed = is_gsm ? septets(c) : 0;
        is_gsm = needed != 0;
        gsm.add(needed);
    }
    const auto& used = is_gsm ? gsm : unicode;
    return {used.count(), !is_gsm, used.units()};
}

}  // namespace fanfare
