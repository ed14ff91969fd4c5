#include "core/rendering/segments.hpp"

#include "core/rendering/utf8.hpp"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <optional>

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

namespace {

bool is_blank(char32_t c) noexcept {
    return c == U'\t' || (c != not_utf8 && u_isUWhiteSpace(static_cast<UChar32>(c)) != 0 &&
                          c != 0x2028 && c != 0x2029 && c != 0x85);
}

// What stands for a quote, however it is typed: primes and modifier letters, too.
constexpr std::u32string_view single_quotes{
    U"\u2018\u2019\u201A\u201B\u2032\u2035\u2039\u203A`"
    U"\u00B4\u02B9\u02BB\u02BC\u02BD\u02C8\u02CA\u02CB"
    U"\u055A\uA78C\uFF07"};
constexpr std::u32string_view double_quotes{
    U"\u201C\u201D\u201E\u201F\u2033\u2036\u00AB\u00BB\u02BA\u301D\u301E\uFF02"};
constexpr std::u32string_view dashes{
    U"\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\uFE58\uFE63\uFF0D"};
constexpr std::u32string_view dots{U"\u2022\u00B7"};

/// The plain form of a typographic character; nullopt for what has none.
std::optional<std::string_view> plain_form(char32_t c) noexcept {
    const auto is_one_of = [c](std::u32string_view all) {
        return all.find(c) != std::u32string_view::npos;
    };
    if (is_one_of(single_quotes)) return "'";
    if (is_one_of(double_quotes)) return "\"";
    if (is_one_of(dashes)) return "-";
    if (is_one_of(dots)) return "*";
    if (c == U'\u2026') return "...";
    if (c == U'\u00AD' || is_ignorable(c)) return "";
    if (is_blank(c)) return " ";
    return std::nullopt;
}

/// The letter below the accents; the character itself where there are none.
char32_t bare_letter(char32_t c) {
    UErrorCode status = U_ZERO_ERROR;
    const auto* const forms = icu::Normalizer2::getNFDInstance(status);
    if (U_FAILURE(status) != 0) return c;
    icu::UnicodeString apart;
    if (forms->getDecomposition(static_cast<UChar32>(c), apart) == 0) return c;
    return static_cast<char32_t>(apart.char32At(0));
}

/// Letters and their accents as one character, as GSM-7 has them; without what nobody sees, which
/// may stand between the two.
std::string composed(std::string_view text) {
    std::string seen;
    seen.reserve(text.size());
    for (std::size_t offset = 0; offset < text.size();) {
        const auto begin = offset;
        if (!is_ignorable(next_character(text, offset))) {
            seen.append(text, begin, offset - begin);
        }
    }
    UErrorCode status = U_ZERO_ERROR;
    const auto* const forms = icu::Normalizer2::getNFCInstance(status);
    if (U_FAILURE(status) != 0) return seen;
    std::string out;
    forms->normalize(icu::UnicodeString::fromUTF8(seen), status).toUTF8String(out);
    return out;
}

void append_character(char32_t c, std::string& out) {
    icu::UnicodeString{static_cast<UChar32>(c)}.toUTF8String(out);
}

}  // namespace

std::string without_foreign_accents(std::string_view text) {
    std::string out;
    for (std::size_t offset = 0; offset < text.size();) {
        const auto begin = offset;
        const auto c = next_character(text, offset);
        const auto bare = c < 0x80 || c == not_utf8 || septets(c) > 0 ? c : bare_letter(c);
        if (bare != c && septets(bare) > 0) {
            append_character(bare, out);
        } else {
            out.append(text, begin, offset - begin);
        }
    }
    return out;
}

void fit_sms(std::string& text) {
    const auto is_plain = [](char c) { return (c >= 0x20 && c < 0x7F && c != '`') || c == '\n'; };
    if (std::all_of(text.begin(), text.end(), is_plain)) return;
    std::string plain;
    plain.reserve(text.size());
    const auto joined = composed(text);
    for (std::size_t offset = 0; offset < joined.size();) {
        const auto begin = offset;
        const auto c = next_character(joined, offset);
        if (septets(c) > 0) {
            plain.append(joined, begin, offset - begin);
            continue;
        }
        const auto form = plain_form(c);
        if (!form) return;
        plain.append(*form);
    }
    text = std::move(plain);
}

}  // namespace fanfare
