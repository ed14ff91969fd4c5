#include "sim/providers/smtp/message.hpp"

#include "sim/http/text.hpp"

#include <algorithm>
#include <array>

namespace fanfare::sim {

namespace {

constexpr std::size_t line_bytes_max = 998;

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool decode_quoted(std::string_view text, bool in_header, std::string& out) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c != '=') {
            out.push_back(in_header && c == '_' ? ' ' : c);
        } else if (!in_header && text.substr(at, 3) == "=\r\n") {
            at += 2;
        } else {
            if (at + 2 >= text.size()) return false;
            const int high = hex_value(text[at + 1]);
            const int low = hex_value(text[at + 2]);
            if (high < 0 || low < 0) return false;
            out.push_back(static_cast<char>(high * 16 + low));
            at += 2;
        }
    }
    return true;
}

bool decode_standard(std::string_view text, std::string& out) {
    std::string url;
    for (const char c : text) {
        if (c == '\r' || c == '\n' || c == '=') continue;
        url.push_back(c == '+' ? '-' : c == '/' ? '_' : c);
    }
    auto decoded = decode_base64url(url);
    if (!decoded) return false;
    out.append(*decoded);
    return true;
}

bool decode_words(std::string_view text, std::string& out) {
    bool after_word = false;
    while (!text.empty()) {
        const auto begin = text.find("=?UTF-8?");
        const auto plain = text.substr(0, begin);
        if (!after_word || plain != " ") out.append(plain);
        if (begin == text.npos) return true;
        const auto end = text.find("?=", begin + 10);
        if (end == text.npos || end + 2 - begin > 75) return false;
        const auto kind = text.substr(begin + 8, 2);
        const auto inside = text.substr(begin + 10, end - begin - 10);
        std::string word;
        const bool good = kind == "Q?"   ? decode_quoted(inside, true, word)
                          : kind == "B?" ? decode_standard(inside, word)
                                         : false;
        if (!good || !is_valid_utf8(word)) return false;
        out.append(word);
        text.remove_prefix(end + 2);
        after_word = true;
    }
    return true;
}

std::string_view fault_of_lines(std::string_view raw) {
    std::size_t column = 0;
    for (std::size_t at = 0; at < raw.size(); ++at) {
        const auto byte = static_cast<unsigned char>(raw[at]);
        if (raw.substr(at, 2) == "\r\n") {
            column = 0;
            ++at;
            continue;
        }
        if (byte == '\r' || byte == '\n') return "bare CR or LF";
        if (byte >= 0x7f || (byte < 0x20 && byte != '\t')) return "not 7bit text";
        if (++column > line_bytes_max) return "line too long";
    }
    return column == 0 ? std::string_view{} : "last line not ended";
}

/// Takes the headers off `text`; false where one is malformed.
bool take_headers(std::string_view& text, MailMessage& mail) {
    mail.headers.clear();
    while (!text.starts_with("\r\n")) {
        const auto end = text.find("\r\n");
        if (end == text.npos) return false;
        const auto line = text.substr(0, end);
        text.remove_prefix(end + 2);
        if (line.front() == ' ' || line.front() == '\t') {
            if (mail.headers.empty()) return false;
            mail.headers.back().second.append(line);
            continue;
        }
        const auto colon = line.find(':');
        if (colon == line.npos || colon == 0 || line.find(' ') < colon) return false;
        std::string name{line.substr(0, colon)};
        std::transform(name.begin(), name.end(), name.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        mail.headers.emplace_back(std::move(name), trimmed(line.substr(colon + 1)));
    }
    text.remove_prefix(2);
    return std::all_of(mail.headers.begin(), mail.headers.end(), [](auto& header) {
        std::string decoded;
        if (!decode_words(header.second, decoded)) return false;
        header.second = std::move(decoded);
        return true;
    });
}

std::string_view read_entity(const MailMessage& head, std::string_view body, MailMessage& mail) {
    const auto type = head.header("content-type");
    const auto encoding = head.header("content-transfer-encoding");
    const bool is_html = type == "text/html; charset=utf-8";
    if (!is_html && type != "text/plain; charset=utf-8") return "content type";
    std::string decoded;
    const bool good = encoding == "quoted-printable" ? decode_quoted(body, false, decoded)
                      : encoding == "base64"         ? decode_standard(body, decoded)
                                                     : false;
    if (!good) return "content transfer encoding";
    if (!is_valid_utf8(decoded)) return "body is not UTF-8";
    (is_html ? mail.html : mail.text) = std::move(decoded);
    return {};
}

std::string_view read_alternative(std::string_view type, std::string_view body, MailMessage& mail) {
    const auto quote = type.find('"');
    const auto delimiter = "--" + std::string{type.substr(quote + 1, type.size() - quote - 2)};
    if (!body.starts_with(delimiter + "\r\n")) return "no first part";
    body.remove_prefix(delimiter.size() + 2);
    while (true) {
        const auto end = body.find("\r\n" + delimiter);
        if (end == body.npos) return "a part without end";
        auto part = body.substr(0, end);
        MailMessage head;
        if (!take_headers(part, head)) return "malformed part";
        if (const auto fault = read_entity(head, part, mail); !fault.empty()) return fault;
        body.remove_prefix(end + 2 + delimiter.size());
        if (body == "--\r\n") break;
        if (!body.starts_with("\r\n")) return "malformed delimiter";
        body.remove_prefix(2);
    }
    return mail.text.empty() || mail.html.empty() ? "a part is missing" : std::string_view{};
}

}  // namespace

std::string_view MailMessage::header(std::string_view name) const noexcept {
    for (const auto& [key, value] : headers) {
        if (key == name) return value;
    }
    return {};
}

MailMessage read_mail(std::string_view raw, std::string& fault) {
    MailMessage mail;
    fault = fault_of_lines(raw);
    if (!fault.empty()) return mail;
    if (!take_headers(raw, mail)) {
        fault = "malformed header";
        return mail;
    }
    constexpr std::array<std::string_view, 7> required{
        "from", "to", "subject", "date", "message-id", "mime-version", "content-type"};
    for (const auto name : required) {
        const auto count =
            std::count_if(mail.headers.begin(), mail.headers.end(),
                          [name](const auto& header) { return header.first == name; });
        if (count != 1) {
            fault = std::string{name} + " must be there once";
            return mail;
        }
    }
    if (!mail.header("bcc").empty()) {
        fault = "bcc";
        return mail;
    }
    const std::string type{mail.header("content-type")};
    fault = type.starts_with("multipart/alternative; boundary=\"") && type.ends_with('"')
                ? read_alternative(type, raw, mail)
                : read_entity(mail, raw, mail);
    return mail;
}

}  // namespace fanfare::sim
