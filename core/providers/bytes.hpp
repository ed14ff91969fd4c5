#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// What the writers of request bodies have in common: finding the few bytes that need
/// care, and never letting invalid UTF-8 or a control character through.
namespace fanfare::bytes {

inline constexpr std::uint8_t control = 1;  // Below 0x20, and 0x7f.
inline constexpr std::uint8_t json = 2;     // " and backslash.
inline constexpr std::uint8_t html = 4;     // & < > " '
inline constexpr std::uint8_t percent = 8;
inline constexpr std::uint8_t multibyte = 16;  // 0x80 and above: UTF-8 to be checked.
inline constexpr std::uint8_t word = 32;       // A-Z a-z 0-9 _ . -
inline constexpr std::uint8_t reserved = 64;   // Not one of RFC 3986's unreserved bytes.
inline constexpr std::uint8_t hex = 128;

extern const std::array<std::uint8_t, 256> flags;

[[nodiscard]] inline std::uint8_t char_flags(char c) noexcept {
    return flags[static_cast<unsigned char>(c)];
}

/// The first byte in [at, end) that has one of `wanted`; `end` if there is none.
[[nodiscard]] inline const char* find_any(const char* at, const char* end,
                                          std::uint8_t wanted) noexcept {
    while (at != end && (char_flags(*at) & wanted) == 0) ++at;
    return at;
}

inline constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
inline constexpr std::string_view joiner = "\xE2\x81\xA0";       // U+2060, has no width.

/// Length of the well-formed UTF-8 sequence at `at` (1 to 4), or 0 if there is none.
[[nodiscard]] std::size_t sequence_length(const char* at, const char* end) noexcept;

/// Appends the sequence at `at` or, where it is malformed, U+FFFD for one byte of it.
/// Returns where to go on.
const char* append_sequence(const char* at, const char* end, std::string& out);

/// At most `size` bytes of `text`, and no half of a character.
[[nodiscard]] std::string_view cut(std::string_view text, std::size_t size) noexcept;

/// True where the text after a '%' could be a word of a template language, such as
/// "unsubscribe_url" or "recipient.name". A percent-encoded byte ("%C3") is none.
[[nodiscard]] bool begins_word(const char* at, const char* end) noexcept;

}  // namespace fanfare::bytes
