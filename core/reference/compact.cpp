#include "core/reference/compact.hpp"

#include "core/domain/number.hpp"
#include "core/domain/uuid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace fanfare {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t job_characters = 22;  // 128 bits, and four that are 0.
constexpr std::size_t place_characters = 7;
constexpr std::size_t tag_characters = 11;
constexpr unsigned position_bits = 20;
constexpr std::uint32_t positions_end = 1U << position_bits;
constexpr std::uint32_t chunks_end = 1U << (place_characters * 6 - position_bits);
static_assert(job_characters + place_characters + tag_characters == compact_reference_size);

unsigned digit_value(char c) noexcept {
    return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
}

/// Cuts what is before the next dot off `text`; all of it where there is none.
std::string_view take_part(std::string_view& text) {
    const auto part = text.substr(0, text.find('.'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    return part;
}

/// A decimal number below `end`, without sign or leading zeros.
std::optional<std::uint32_t> parse_below(std::uint32_t end, std::string_view text) {
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    const auto number = parse_number<std::uint32_t>(text);
    return number && *number < end ? number : std::nullopt;
}

bool is_alphabetic(std::string_view text) noexcept {
    return text.find_first_not_of(alphabet) == std::string_view::npos;
}

/// The lowest six bits of each of `count` digits, the first one highest.
void append_digits(std::uint64_t value, std::size_t count, std::string& out) {
    for (auto left = count; left > 0; --left) out.push_back(alphabet[value >> 6 * (left - 1) & 63]);
}

void append_job(std::string_view uuid, std::string& out) {
    unsigned bits = 0;
    std::uint64_t held = 0;
    for (const char c : uuid) {
        if (c == '-') continue;
        held = held << 4 | digit_value(c);
        bits += 4;
        if (bits < 6) continue;
        bits -= 6;
        append_digits(held >> bits, 1, out);
        held &= (1U << bits) - 1;
    }
    append_digits(held << (6 - bits), 1, out);  // 128 is 21 times 6, and 2.
}

std::string read_job(std::string_view text) {
    std::string uuid;
    unsigned bits = 0;
    std::uint64_t held = 0;
    for (const char c : text) {
        held = held << 6 | alphabet.find(c);
        bits += 6;
        while (bits >= 4 && uuid.size() < 36) {
            bits -= 4;
            uuid.push_back("0123456789abcdef"[held >> bits & 15]);
            const auto size = uuid.size();
            if (size == 8 || size == 13 || size == 18 || size == 23) uuid.push_back('-');
        }
        held &= 15;
    }
    return uuid;
}

}  // namespace

std::optional<std::string> compact_reference(std::string_view reference) {
    std::string compact;
    if (!append_compact_reference(reference, compact)) return std::nullopt;
    return compact;
}

bool append_compact_reference(std::string_view reference, std::string& out) {
    const auto job = take_part(reference);
    const auto chunk = parse_below(chunks_end, take_part(reference));
    const auto position = parse_below(positions_end, take_part(reference));
    const auto tag = reference;
    if (!is_uuid(job) || !chunk || !position || tag.size() != tag_characters ||
        !is_alphabetic(tag)) {
        return false;
    }
    append_job(job, out);
    append_digits(std::uint64_t{*chunk} << position_bits | *position, place_characters, out);
    out.append(tag);
    return true;
}

std::optional<std::string> expand_reference(std::string_view compact) {
    if (compact.size() != compact_reference_size || !is_alphabetic(compact)) return std::nullopt;
    // The last digit of the job has two bits of it: the others are 0, or we did not write it.
    if (alphabet.find(compact[job_characters - 1]) % 16 != 0) return std::nullopt;
    std::uint64_t place = 0;
    for (const char c : compact.substr(job_characters, place_characters)) {
        place = place << 6 | alphabet.find(c);
    }
    return fmt::format("{}.{}.{}.{}", read_job(compact.substr(0, job_characters)),
                       place >> position_bits, place & (positions_end - 1),
                       compact.substr(job_characters + place_characters));
}

}  // namespace fanfare
