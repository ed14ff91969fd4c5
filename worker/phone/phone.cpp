#include "worker/phone/phone.hpp"

#include <phonenumbers/phonenumberutil.h>

#include <cstdint>
#include <string>
#include <unordered_set>

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

/// The library takes tens of microseconds a number, and looks at no more than country, length
/// and national prefix. So what it said of one number holds for the next that begins alike and
/// is as long; only "possible, as it is written" is remembered.
///
/// Bounds    65,536 beginnings a thread.
class Remembered {
public:
    [[nodiscard]] bool holds(std::string_view digits) const { return known_.contains(key(digits)); }
    void add(std::string_view digits) {
        if (known_.size() >= 65'536) known_.clear();
        known_.insert(key(digits));
    }

private:
    static std::uint64_t key(std::string_view digits) {
        std::uint64_t key = digits.size();
        for (const char c : digits.substr(0, 7)) key = key << 8 | static_cast<unsigned char>(c);
        return key;
    }
    std::unordered_set<std::uint64_t> known_;
};

}  // namespace

std::optional<std::string> e164(std::string_view number) {
    if (number.size() > bytes_max) return std::nullopt;
    auto digits = strip(number);
    if (digits.empty()) return std::nullopt;
    thread_local Remembered possible;
    if (possible.holds(digits)) return digits;
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
    if (canonical == digits) possible.add(digits);
    return canonical;
}

}  // namespace fanfare
