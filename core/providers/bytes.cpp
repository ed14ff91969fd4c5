#include "core/providers/bytes.hpp"

namespace fanfare::bytes {
namespace {

constexpr std::array<std::uint8_t, 256> make_flags() {
    std::array<std::uint8_t, 256> table{};
    const auto mark = [&table](std::string_view text, std::uint8_t added) {
        for (const char c : text) {
            auto& entry = table[static_cast<unsigned char>(c)];
            entry = static_cast<std::uint8_t>(entry | added);
        }
    };
    for (auto& entry : table) entry = reserved;
    for (const char c : std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789-._~"}) {
        table[static_cast<unsigned char>(c)] = c == '~' ? 0 : word;
    }
    mark("0123456789ABCDEFabcdef", hex);
    mark("\"\\", json);
    mark("&<>\"'", html);
    mark("%", percent);
    for (std::size_t byte = 0; byte < table.size(); ++byte) {
        const bool is_control = byte < 0x20 || byte == 0x7f;
        const int added = (is_control ? control : 0) | (byte >= 0x80 ? multibyte : 0);
        table[byte] = static_cast<std::uint8_t>(table[byte] | added);
    }
    return table;
}

bool is_tail(const char* at, const char* end) noexcept {
    return at < end && (static_cast<unsigned char>(*at) & 0xC0U) == 0x80U;
}

}  // namespace

constinit const std::array<std::uint8_t, 256> flags = make_flags();

std::size_t sequence_length(const char* at, const char* end) noexcept {
    if (at >= end) return 0;
    const auto first = static_cast<unsigned char>(*at);
    if (first < 0x80) return 1;
    if (first < 0xC2 || first > 0xF4 || !is_tail(at + 1, end)) return 0;
    if (first < 0xE0) return 2;
    const auto second = static_cast<unsigned char>(at[1]);
    if (!is_tail(at + 2, end)) return 0;
    if (first < 0xF0) {
        // Overlong forms, and the surrogates that no UTF-8 text may hold.
        const bool bad = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F);
        return bad ? 0 : 3;
    }
    const bool bad = (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
    return bad || !is_tail(at + 3, end) ? 0 : 4;
}

const char* append_sequence(const char* at, const char* end, std::string& out) {
    const auto length = sequence_length(at, end);
    if (length == 0) {
        out.append(replacement);
        return at + 1;
    }
    out.append(at, length);
    return at + length;
}

std::string_view cut(std::string_view text, std::size_t size) noexcept {
    const auto is_inside = [text](std::size_t at) {
        return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
    };
    while (size > 0 && is_inside(size)) --size;
    return text.substr(0, size);
}

bool begins_word(const char* at, const char* end) noexcept {
    if (at == end) return false;
    const char c = *at;
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!is_letter) return false;
    const bool is_encoded_byte =
        end - at >= 2 && (char_flags(at[0]) & char_flags(at[1]) & hex) != 0;
    return !is_encoded_byte;
}

}  // namespace fanfare::bytes
