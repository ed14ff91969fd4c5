#include "worker/phone/phone.hpp"

#include <phonenumbers/phonenumberutil.h>

namespace fanfare {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

constexpr std::size_t bytes_max = 64;

/// "+" and ASCII digits; "" where there is anything else. The library would take letters,
/// extensions and the digits of other scripts as well.
std::string strip(std::string_view number) {
    std::string digits;
    for (const char c : number) {
        const bool is_plus = c == '+' && digits.empty();
        if (is_plus || (c >= '0' && c <= '9' && !digits.empty())) {
            digits.push_back(c);
        } else if (c != ' ' && c != '-' && c != '.' && c != '(' && c != ')') {
            return {};
        } else if (digits.empty()) {
            return {};  // The plus comes first.
        }
    }
    return digits;
}

}  // namespace

std::optional<std::string> e164(std::string_view number) {
    if (number.size() > bytes_max) return std::nullopt;
    const auto digits = strip(number);
    if (digits.empty()) return std::nullopt;
    const auto& library = *PhoneNumberUtil::GetInstance();
    PhoneNumber parsed;
    if (library.Parse(digits, "ZZ", &parsed) != PhoneNumberUtil::NO_PARSING_ERROR) {
        return std::nullopt;
    }
    // IsPossibleNumber() would let numbers pass that can be dialled in their town only.
    if (library.IsPossibleNumberWithReason(parsed) != PhoneNumberUtil::IS_POSSIBLE) {
        return std::nullopt;
    }
    std::string canonical;
    library.Format(parsed, PhoneNumberUtil::E164, &canonical);
    return canonical;
}

}  // namespace fanfare
