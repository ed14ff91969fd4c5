#include "core/audience/phone.hpp"

#include <phonenumbers/phonenumberutil.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_set>

namespace fanfare {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

constexpr std::size_t bytes_max = 64;

/// The library would take letters, extensions and the digits of other scripts as well.
bool is_bare(std::string_view text) {
    return text.size() > 1 && text.size() <= bytes_max && text[0] == '+' &&
           std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; });
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

std::optional<std::string> e164(std::string_view digits) {
    if (!is_bare(digits)) return std::nullopt;
    thread_local Remembered possible;
    if (possible.holds(digits)) return std::string{digits};
    const auto& library = *PhoneNumberUtil::GetInstance();
    PhoneNumber parsed;
    if (library.Parse(std::string{digits}, "ZZ", &parsed) != PhoneNumberUtil::NO_PARSING_ERROR) {
        return std::nullopt;
    }
    // IsPossibleNumber() would let numbers pass that can be dialled in their town only.
    if (library.IsPossibleNumberWithReason(parsed) != PhoneNumberUtil::IS_POSSIBLE) {
        return std::nullopt;
    }
    std::string canonical;
    library.Format(parsed, PhoneNumberUtil::E164, &canonical);
    if (canonical == digits) {
        possible.add(digits);
        return canonical;
    }
    // Only one trunk zero is taken away: of a number with two, what is left would be read as
    // another one the next time.
    return e164(canonical) == canonical ? std::optional{canonical} : std::nullopt;
}

}  // namespace fanfare
