#include "tests/contract/wire_reader.hpp"

#include <algorithm>
#include <array>

/// Reads a mail as RFC 5322, 2045 and 2047 say, strictly.
namespace fanfare::testing {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// False where `text` is no quoted-printable; `space` is what '_' means, '_' for bodies.
bool decode_quoted(std::string_view text, char underscore, std::string& out) {
    while (!text.empty()) {
        const char c = text[0];
        if (c != '=') {
            out.push_back(c == '_' ? underscore : c);
            text.remove_prefix(1);
            continue;
        }
        if (text.starts_with("=\r\n")) {
            text.remove_prefix(3);
            continue;
        }
        if (text.size() < 3 || hex_value(text[1]) < 0 || hex_value(text[2]) < 0) return false;
        out.push_back(static_cast<char>(hex_value(text[1]) * 16 + hex_value(text[2])));
        text.remove_prefix(3);
    }
    return true;
}

bool decode_base64(std::string_view text, std::string& out) {
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0;
    int count = 0;
    for (const char c : text) {
        if (c == '=' || c == '\r' || c == '\n') continue;
        const auto value = alphabet.find(c);
        if (value == std::string_view::npos) return false;
        bits = (bits << 6U | static_cast<unsigned>(value)) & 0xFFFFFFU;
        if ((count = count + 6) >= 8) {
            count -= 8;
            out.push_back(static_cast<char>(bits >> static_cast<unsigned>(count) & 0xFFU));
        }
    }
    return true;
}

bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const std::size_t length = byte < 0x80 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
        if ((byte & 0xC0U) == 0x80 || at + length > text.size()) return false;
        for (std::size_t i = 1; i < length; ++i) {
            if ((static_cast<unsigned char>(text[at + i]) & 0xC0U) != 0x80) return false;
        }
        at += length;
    }
    return true;
}

/// Encoded words become their text; the blank between two of them is nothing.
bool decode_words(std::string text, std::string& out) {
    bool after_word = false;
    while (!text.empty()) {
        const auto begin = text.find("=?UTF-8?");
        const auto plain = text.substr(0, begin);
        if (!after_word || plain != " ") out += plain;
        if (begin == std::string::npos) return true;
        const auto end = text.find("?=", begin + 10);
        if (end == std::string::npos || end + 2 - begin > 75) return false;
        const auto inside = text.substr(begin + 10, end - begin - 10);
        std::string word;
        const bool good = text.substr(begin + 8, 2) == "Q?" ? decode_quoted(inside, ' ', word)
                                                            : decode_base64(inside, word);
        if (!good || !is_utf8(word)) return false;  // A character may not be cut.
        out += word;
        text.erase(0, end + 2);
        after_word = true;
    }
    return true;
}

/// Takes the header lines off `text`, unfolded; false where one is malformed.
bool take_headers(std::string_view& text, Headers& out) {
    while (!text.starts_with("\r\n")) {
        const auto end = text.find("\r\n");
        if (end == std::string_view::npos) return false;
        const auto line = text.substr(0, end);
        text.remove_prefix(end + 2);
        if (line.starts_with(' ')) {
            if (out.empty()) return false;
            out.back().second += line;
            continue;
        }
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0 || line.find(' ') < colon) return false;
        auto value = line.substr(colon + 1);
        if (value.starts_with(' ')) value.remove_prefix(1);
        out.emplace_back(line.substr(0, colon), value);
    }
    text.remove_prefix(2);
    return true;
}

std::string value_of(const Headers& headers, std::string_view name) {
    std::string found;
    int count = 0;
    for (const auto& [key, value] : headers) {
        if (key == name) found = value, ++count;
    }
    return count > 1 ? "twice" : found;
}

/// Reads one entity into seen["text"] or seen["html"].
std::string read_entity(const Headers& headers, std::string_view body, Delivery& delivery) {
    const auto type = value_of(headers, "Content-Type");
    const auto encoding = value_of(headers, "Content-Transfer-Encoding");
    if (type != "text/plain; charset=utf-8" && type != "text/html; charset=utf-8") return type;
    std::string text;
    const bool good = encoding == "base64"             ? decode_base64(body, text)
                      : encoding == "quoted-printable" ? decode_quoted(body, '_', text)
                                                       : false;
    if (!good) return "body is not " + encoding;
    if (!is_utf8(text)) return "body is not UTF-8";
    delivery.seen[type.starts_with("text/html") ? "html" : "text"] = text;
    return "";
}

std::string read_parts(const std::string& type, std::string_view body, Delivery& delivery) {
    const auto quote = type.find('"');
    const auto delimiter = "--" + type.substr(quote + 1, type.size() - quote - 2);
    if (!body.starts_with(delimiter + "\r\n")) return "no first part";
    body.remove_prefix(delimiter.size());
    while (body != "--\r\n") {
        if (!body.starts_with("\r\n")) return "malformed delimiter";
        body.remove_prefix(2);
        const auto end = body.find("\r\n" + delimiter);
        if (end == std::string_view::npos) return "a part without end";
        auto part = body.substr(0, end);
        Headers headers;
        if (!take_headers(part, headers)) return "malformed part";
        if (auto fault = read_entity(headers, part, delivery); !fault.empty()) return fault;
        body.remove_prefix(end + 2 + delimiter.size());
    }
    return "";
}

std::string fault_of_lines(std::string_view message) {
    std::size_t column = 0;
    for (std::size_t at = 0; at < message.size(); ++at) {
        const char c = message[at];
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\r' && message.substr(at, 2) == "\r\n") {
            column = 0;
            ++at;
            continue;
        }
        if (byte >= 0x7f || (byte < 0x20 && c != '\t')) return "a byte that is no ASCII text";
        if (++column > 998) return "a line too long";
    }
    return column == 0 ? "" : "no line break at the end";
}

}  // namespace

Reading read_smtp(const HttpRequest& request) {
    Reading reading;
    if (!request.mail || !request.headers.empty()) return {{}, "no envelope"};
    std::string_view rest = request.body;
    if (auto fault = fault_of_lines(rest); !fault.empty()) return {{}, fault};
    Headers headers;
    if (!take_headers(rest, headers)) return {{}, "malformed header"};
    for (const auto* name : {"Message-ID", "Date", "From", "To", "MIME-Version", "Content-Type"}) {
        const auto value = value_of(headers, name);
        if (value.empty() || value == "twice") return {{}, std::string{name} + " is not once"};
    }
    if (value_of(headers, "To") != request.mail->recipient) return {{}, "To is someone else"};
    Delivery delivery{request.mail->recipient, {}};
    for (const auto& [name, value] : headers) {
        std::string lower = name;
        std::transform(lower.begin(), lower.end(), lower.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        if (delivery.seen.contains(lower)) return {{}, name + " is there twice"};
        if (!decode_words(value, delivery.seen[lower])) return {{}, name + " is malformed"};
    }
    const auto type = value_of(headers, "Content-Type");
    reading.error = type.starts_with("multipart/alternative; boundary=\"")
                        ? read_parts(type, rest, delivery)
                        : read_entity(headers, rest.substr(0, rest.size() - 2), delivery);
    reading.deliveries.push_back(std::move(delivery));
    return reading;
}

}  // namespace fanfare::testing
