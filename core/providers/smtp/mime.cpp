#include "core/providers/smtp/mime.hpp"

#include "core/crypto/digest.hpp"
#include "core/providers/bytes.hpp"
#include "core/providers/encoding.hpp"

#include <algorithm>
#include <cstdint>

namespace fanfare::mime {
namespace {

constexpr std::size_t columns_max = 76;
constexpr std::size_t word_max = 75;  // An encoded word, by RFC 2047.
constexpr std::string_view crlf = "\r\n";
// Quoted-printable writes '=' as =3D and base64 has no '_': no body can hold it.
constexpr std::string_view boundary = "=_fanfare_alternative";

bool is_alnum(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
bool is_visible(char c) noexcept { return c > ' ' && c < '\x7f'; }

void append_hex(char c, std::string& out) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('=');
    out.push_back(digits[byte >> 4U]);
    out.push_back(digits[byte & 15U]);
}

/// Bytes of the character at `at`; `text` is well formed.
std::size_t length_at(std::string_view text, std::size_t at) noexcept {
    return std::max<std::size_t>(
        1, bytes::sequence_length(text.data() + at, text.data() + text.size()));
}

/// What may stand for itself in the Q encoding of any header, phrases included.
bool is_q_safe(char c) noexcept {
    return is_alnum(c) || std::string_view{"!*+-/"}.find(c) != std::string_view::npos;
}

std::size_t q_size(std::string_view text) noexcept {
    std::size_t size = 0;
    for (const char c : text) size += is_q_safe(c) || c == ' ' ? 1U : 3U;
    return size;
}

/// Appends `text` as encoded words, none of which cuts a character, folded between them.
/// `column` is where the first begins.
void append_words(std::string_view text, std::size_t column, std::string& out) {
    const bool quoted = q_size(text) <= (text.size() + 2) / 3 * 4;
    constexpr std::string_view lead_q = "=?UTF-8?Q?";
    constexpr std::string_view lead_b = "=?UTF-8?B?";
    const auto frame = lead_q.size() + 2;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto room = std::min(word_max, columns_max - column) - frame;
        std::size_t end = at;
        while (end < text.size()) {
            const auto next = end + length_at(text, end);
            const auto slice = text.substr(at, next - at);
            const auto size = quoted ? q_size(slice) : (slice.size() + 2) / 3 * 4;
            if (size > room) break;
            end = next;
        }
        if (at > 0) out.append("\r\n ");
        out.append(quoted ? lead_q : lead_b);
        const auto slice = text.substr(at, end - at);
        if (!quoted) out.append(base64(slice));
        for (const char c : quoted ? slice : std::string_view{}) {
            if (c == ' ') {
                out.push_back('_');
            } else if (is_q_safe(c)) {
                out.push_back(c);
            } else {
                append_hex(c, out);
            }
        }
        out.append("?=");
        at = end;
        column = 1;
    }
}

bool is_plain(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return c == ' ' || is_visible(c); });
}

/// CRLF for each line break of any kind; other controls become spaces, tabs stay. Into `out`,
/// which is reused.
void write_canonical(std::string_view text, std::string& out) {
    out.clear();
    out.reserve(text.size() + text.size() / 16);
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        const char* const stop = bytes::find_any(at, end, bytes::control | bytes::multibyte);
        out.append(at, stop);
        if (stop == end) break;
        if ((bytes::char_flags(*stop) & bytes::multibyte) != 0) {
            at = bytes::append_sequence(stop, end, out);
            continue;
        }
        at = stop + 1;
        if (*stop == '\r' && at != end && *at == '\n') ++at;
        if (*stop == '\r' || *stop == '\n') {
            out.append(crlf);
        } else {
            out.push_back(*stop == '\t' ? '\t' : ' ');
        }
    }
}

/// One line without its break. Soft breaks fall between characters. A dot or "From " that
/// would begin a line is written in hex: some relays still touch them.
void append_quoted_line(std::string_view line, std::string& out) {
    std::size_t column = 0;
    std::size_t at = 0;
    while (at < line.size()) {
        const auto length = length_at(line, at);
        const char c = line[at];
        const bool is_blank = c == ' ' || c == '\t';
        const bool is_last = at + length == line.size();
        const bool at_risk = column == 0 && (c == '.' || c == 'F' || c == '-');
        const bool literal = (is_visible(c) && c != '=' && !at_risk) || (is_blank && !is_last);
        const auto width = literal ? 1 : 3 * length;
        if (column + width > columns_max - (is_last ? 0 : 1)) {
            out.append("=\r\n");
            column = 0;
            continue;
        }
        if (literal) {
            out.push_back(c);
        } else {
            for (const char byte : line.substr(at, length)) append_hex(byte, out);
        }
        column += width;
        at += length;
    }
}

/// Into `out`, which is reused.
void write_quoted_printable(std::string_view text, std::string& out) {
    out.clear();
    out.reserve(text.size() + text.size() / 8);
    while (true) {
        const auto end = text.find(crlf);
        append_quoted_line(text.substr(0, end), out);
        if (end == std::string_view::npos) return;
        out.append(crlf);
        text.remove_prefix(end + crlf.size());
    }
}

std::size_t base64_size(std::size_t bytes) noexcept {
    const auto size = (bytes + 2) / 3 * 4;
    return size + size / columns_max * crlf.size();
}

void append_base64(std::string_view text, std::string& out) {
    const auto all = base64(text);
    for (std::size_t at = 0; at < all.size(); at += columns_max) {
        if (at > 0) out.append(crlf);
        out.append(all, at, columns_max);
    }
}

}  // namespace

void append_text_header(std::string_view name, std::string_view value, std::string& out) {
    thread_local std::string line;
    line.clear();
    append_line(value, line);
    out.append(name).append(":");
    if (line.empty()) {
        out.append(crlf);
        return;
    }
    out.push_back(' ');
    const auto column = name.size() + 2;
    const bool as_it_is = is_plain(line) && column + line.size() <= columns_max &&
                          line.front() != ' ' && line.back() != ' ' &&
                          line.find("=?") == std::string::npos;
    if (as_it_is) {
        out.append(line);
    } else {
        append_words(line, column, out);
    }
    out.append(crlf);
}

void append_mailbox_header(std::string_view name, std::string_view display,
                           std::string_view address, std::string& out) {
    thread_local std::string line;
    line.clear();
    append_line(display, line);
    const auto column = name.size() + 2;
    out.append(name).append(": ");
    if (line.empty()) {
        out.append(address).append(crlf);
        return;
    }
    const bool is_phrase =
        std::all_of(line.begin(), line.end(), [](char c) { return c == ' ' || is_alnum(c); });
    const bool is_short = column + 2 * line.size() + 2 <= columns_max;
    if (is_short && is_phrase) {
        out.append(line);
    } else if (is_short && is_plain(line) && line.find("=?") == std::string::npos) {
        out.push_back('"');
        for (const char c : line) {
            if (c == '"' || c == '\\') out.push_back('\\');
            out.push_back(c);
        }
        out.push_back('"');
    } else {
        append_words(line, column, out);
    }
    // On a line of its own where both would be too long for one.
    const auto begun = out.rfind('\n') == std::string::npos ? 0 : out.rfind('\n') + 1;
    const bool fits = out.size() - begun + address.size() + 3 <= columns_max;
    out.append(fits ? " <" : "\r\n <").append(address).append(">\r\n");
}

void append_token_header(std::string_view name, std::string_view value, std::string& out) {
    out.append(name).append(": ");
    for (const char c : value) out.push_back(is_visible(c) ? c : '-');
    out.append(crlf);
}

void append_entity(std::string_view type, std::string_view text, std::string& out) {
    thread_local std::string source, quoted;
    write_canonical(text, source);
    write_quoted_printable(source, quoted);
    const bool is_shorter = base64_size(source.size()) < quoted.size();
    out.append("Content-Type: ").append(type).append("; charset=utf-8\r\n");
    out.append("Content-Transfer-Encoding: ");
    out.append(is_shorter ? "base64" : "quoted-printable").append("\r\n\r\n");
    if (is_shorter) {
        append_base64(source, out);
    } else {
        out.append(quoted);
    }
    out.append(crlf);
}

void append_alternative(std::string_view plain, std::string_view html, std::string& out) {
    out.append("Content-Type: multipart/alternative;\r\n boundary=\"");
    out.append(boundary).append("\"\r\n\r\n");
    const auto delimit = [&out](std::string_view end) {
        out.append("--").append(boundary).append(end).append(crlf);
    };
    delimit("");
    append_entity("text/plain", plain, out);
    delimit("");
    append_entity("text/html", html, out);
    delimit("--");
}

}  // namespace fanfare::mime
