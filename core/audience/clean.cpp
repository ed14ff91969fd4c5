#include "core/audience/clean.hpp"

#include <unicode/idna.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <memory>

namespace fanfare {
namespace {

constexpr std::size_t bytes_max = 8'192;  // More is no address, and not worth the reading.

/// The code point at `at`, which moves behind it; negative where there is none.
UChar32 next(std::string_view text, std::size_t& at) {
    const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
    const auto size = text.size();
    UChar32 c = 0;
    U8_NEXT(bytes, at, size, c);
    return c;
}

bool is_blank(UChar32 c) { return c == '\t' || u_charType(c) == U_SPACE_SEPARATOR; }

bool is_line_end(UChar32 c) { return c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029; }

/// Of zero width too, but domains in Persian and Sinhala differ by them.
bool is_joiner(UChar32 c) { return c == 0x200C || c == 0x200D; }

bool is_unseen(UChar32 c) {
    const bool is_mark = u_charType(c) == U_FORMAT_CHAR ||
                         u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0;
    return is_mark && !is_joiner(c);
}

bool starts_with_tel(std::string_view text) {
    return text.size() >= 4 && folded(text.substr(0, 4)) == "tel:";
}

/// Hyphens and dashes of all scripts, the minus sign, and the wide forms of brackets and dots.
bool is_between_digits(UChar32 c) {
    return c == ' ' || c == '.' || c == '/' || c == '(' || c == ')' || c == 0x2212 || c == 0xFF08 ||
           c == 0xFF09 || c == 0x00B7 || u_charType(c) == U_DASH_PUNCTUATION;
}

std::optional<std::string> to_ascii(std::string_view written) {
    UErrorCode status = U_ZERO_ERROR;
    thread_local const std::unique_ptr<icu::IDNA> idna{
        icu::IDNA::createUTS46Instance(UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_CHECK_BIDI |
                                           UIDNA_CHECK_CONTEXTJ | UIDNA_USE_STD3_RULES,
                                       status)};
    if (idna == nullptr || U_FAILURE(status)) return std::nullopt;
    std::string domain;
    icu::StringByteSink<std::string> sink{&domain};
    icu::IDNAInfo info;
    idna->nameToASCII_UTF8({written.data(), static_cast<int32_t>(written.size())}, sink, info,
                           status);
    if (domain.ends_with('.')) domain.pop_back();
    if (U_FAILURE(status) || info.hasErrors() || domain.empty()) return std::nullopt;
    return domain;
}

}  // namespace

std::optional<std::string> cleaned(std::string_view text) {
    if (text.size() > bytes_max) return std::nullopt;
    std::string clean;
    std::string blanks;  // Kept back until something follows.
    bool line_ended = false;
    for (std::size_t i = 0; i < text.size();) {
        const auto begin = i;
        const auto c = next(text, i);
        if (c < 0) return std::nullopt;
        if (is_unseen(c) || (is_joiner(c) && line_ended)) continue;
        if (is_blank(c)) {
            blanks = " ";
        } else if (is_line_end(c)) {
            line_ended = line_ended || !clean.empty();
        } else if (line_ended || u_charType(c) == U_CONTROL_CHAR) {
            return std::nullopt;
        } else {
            if (!clean.empty()) clean += blanks;
            blanks.clear();
            clean.append(text.substr(begin, i - begin));
        }
    }
    return clean;
}

std::string_view without_unseen_around(std::string_view text) {
    std::size_t first = text.size();
    std::size_t last = text.size();
    for (std::size_t i = 0; i < text.size();) {
        const auto begin = i;
        const auto c = next(text, i);
        const bool is_seen = c < 0 || !(is_blank(c) || is_line_end(c) || u_isWhitespace(c) != 0 ||
                                        is_unseen(c) || is_joiner(c));
        if (!is_seen) continue;
        first = std::min(first, begin);
        last = i;
    }
    return text.substr(first, last - first);
}

std::string without_joiners(std::string_view text) {
    std::string rest;
    for (std::size_t i = 0; i < text.size();) {
        const auto begin = i;
        if (!is_joiner(next(text, i))) rest.append(text.substr(begin, i - begin));
    }
    return rest;
}

std::optional<std::string> with_ascii_domain(std::string_view address) {
    const auto at = address.rfind('@');
    if (at == std::string_view::npos) return std::nullopt;
    const auto written = address.substr(at + 1);
    auto domain = to_ascii(written);
    if (!domain) domain = to_ascii(without_joiners(written));
    if (!domain) return std::nullopt;
    return without_joiners(address.substr(0, at + 1)) + *domain;
}

std::optional<std::string> bare_number(std::string_view number) {
    if (starts_with_tel(number)) {
        number.remove_prefix(4);
        number = number.substr(0, number.find(';'));
    }
    std::string digits;
    for (std::size_t i = 0; i < number.size();) {
        const auto c = next(number, i);
        if (c == '+' || c == 0xFF0B) {
            if (!digits.empty()) return std::nullopt;
            digits = "+";
        } else if (const auto value = c < 0 ? -1 : u_charDigitValue(c); value >= 0) {
            if (digits.empty()) return std::nullopt;  // The plus comes first.
            digits.push_back(static_cast<char>('0' + value));
        } else if (!is_between_digits(c) && !is_joiner(c)) {
            return std::nullopt;
        }
    }
    if (digits.size() < 2) return std::nullopt;
    return digits;
}

std::string folded(std::string_view address) {
    std::string form;
    append_folded(address, form);
    return form;
}

void append_folded(std::string_view address, std::string& form) {
    const auto begun = static_cast<std::ptrdiff_t>(form.size());
    form.append(address);
    std::transform(form.begin() + begun, form.end(), form.begin() + begun, [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
}

}  // namespace fanfare
