#include "core/providers/encoding.hpp"

#include "core/crypto/digest.hpp"
#include "core/http/exchange.hpp"
#include "core/providers/bytes.hpp"

#include <array>
#include <charconv>

namespace fanfare {
namespace {

void append_escaped_byte(char c, std::string& out) {
    switch (c) {
        case '"':
            out.append("\\\"");
            return;
        case '\\':
            out.append("\\\\");
            return;
        case '\n':
            out.append("\\n");
            return;
        case '\t':
            out.append("\\t");
            return;
        default:
            out.push_back(' ');
            return;
    }
}

/// `also`: bytes::html or nothing.
void append_json_one_line(std::string_view text, std::uint8_t also, std::string& out) {
    const std::uint8_t special = bytes::control | bytes::json | bytes::multibyte | also;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        const char* const stop = bytes::find_any(at, end, special);
        out.append(at, stop);
        if (stop == end) return;
        const auto flags = bytes::char_flags(*stop);
        at = stop + 1;
        if ((flags & bytes::multibyte) != 0) {
            at = bytes::append_sequence(stop, end, out);
        } else if ((flags & bytes::control) != 0) {
            out.push_back(' ');
        } else if ((flags & also) != 0) {
            out.append(html_entity(*stop));
        } else {
            append_escaped_byte(*stop, out);
        }
    }
}

void append_percent_byte(char c, std::string& out) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    const std::array<char, 3> encoded{'%', digits[byte >> 4U], digits[byte & 15U]};
    out.append(encoded.data(), encoded.size());
}

}  // namespace

std::string_view html_entity(char c) noexcept {
    switch (c) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        case '\'':
            return "&#39;";
        default:
            return {};
    }
}

void append_json(std::string_view text, std::string& out) {
    constexpr std::uint8_t special = bytes::control | bytes::json | bytes::multibyte;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        const char* const stop = bytes::find_any(at, end, special);
        out.append(at, stop);
        if (stop == end) return;
        if ((bytes::char_flags(*stop) & bytes::multibyte) != 0) {
            at = bytes::append_sequence(stop, end, out);
        } else {
            append_escaped_byte(*stop, out);
            at = stop + 1;
        }
    }
}

void append_json_line(std::string_view text, std::string& out) {
    append_json_one_line(text, 0, out);
}

void append_json_html(std::string_view text, std::string& out) {
    append_json_one_line(text, bytes::html, out);
}

void append_percent_encoded(std::string_view text, std::string& out) {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        const char* const stop = bytes::find_any(at, end, bytes::reserved);
        out.append(at, stop);
        if (stop == end) return;
        const auto length = bytes::sequence_length(stop, end);
        if (length == 0) {
            for (const char c : bytes::replacement) append_percent_byte(c, out);
            at = stop + 1;
            continue;
        }
        const bool is_control = (bytes::char_flags(*stop) & bytes::control) != 0;
        const bool becomes_space = is_control && *stop != '\n' && *stop != '\t';
        for (const char c : std::string_view{stop, length}) {
            append_percent_byte(becomes_space ? ' ' : c, out);
        }
        at = stop + length;
    }
}

void append_line(std::string_view text, std::string& out) {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        const char* const stop = bytes::find_any(at, end, bytes::control | bytes::multibyte);
        out.append(at, stop);
        if (stop == end) return;
        if ((bytes::char_flags(*stop) & bytes::control) != 0) {
            out.push_back(' ');
            at = stop + 1;
        } else {
            at = bytes::append_sequence(stop, end, out);
        }
    }
}

void append_number(std::int64_t number, std::string& out) {
    std::array<char, 24> digits{};
    const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), result.ptr);
}

std::string basic_authorization(std::string_view user, std::string_view password) {
    std::string pair{user};
    pair.append(":").append(password);
    return header_line("Authorization", "Basic " + base64(pair));
}

}  // namespace fanfare
