#include "core/web/head.hpp"

#include "core/web/text.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace fanfare {
namespace {

using HeadFault = std::optional<HttpFault>;

HttpFault malformed(std::string_view detail) { return {400, "malformed_request", detail}; }

constexpr std::string_view no_line{"A line does not end as HTTP/1.1 has it."};

/// The next line without its end, taken off the front.
std::string_view next_line(std::string_view& bytes) {
    const auto end = bytes.find("\r\n");
    const auto line = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 2);
    return line;
}

bool is_visible(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// A host and maybe a port: no user, nothing that begins a path.
bool is_authority(std::string_view text) {
    auto host = text;
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return false;
        host = text.substr(1, end - 1);
        rest = text.substr(end + 1);
        const bool address = std::all_of(host.begin(), host.end(), [](char c) {
            return hex_digit(c) >= 0 || c == ':' || c == '.';
        });
        if (!address) return false;
    } else {
        const auto colon = text.find(':');
        host = text.substr(0, colon);
        if (colon != std::string_view::npos) rest = text.substr(colon);
        const bool name = std::all_of(host.begin(), host.end(), [](char c) {
            return (is_token_character(c) && c != '#' && c != '^' && c != '`' && c != '|') ||
                   std::string_view{"(),;="}.find(c) != std::string_view::npos;
        });
        if (!name) return false;
    }
    if (host.empty()) return false;
    if (rest.empty()) return true;
    return rest.starts_with(':') && rest.size() <= 6 && is_digits(rest.substr(1));
}

/// What is behind "http://" or "https://"; nothing for any other target.
std::optional<std::string_view> behind_scheme(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (same_word(target.substr(0, scheme.size()), scheme)) return target.substr(scheme.size());
    }
    return std::nullopt;
}

HeadFault read_target(std::string_view target, RequestHead& head) {
    constexpr std::string_view no_target{"The target is neither a path nor an absolute one."};
    if (head.method == "CONNECT") return HttpFault{501, "not_implemented", "This is no proxy."};
    if (!is_visible(target) || target.find('#') != std::string_view::npos) {
        return malformed(no_target);
    }
    if (target.starts_with('/') || (target == "*" && head.method == "OPTIONS")) {
        head.target = target;
        return std::nullopt;
    }
    const auto absolute = behind_scheme(target);
    if (!absolute) return malformed(no_target);
    const auto path = absolute->find_first_of("/?");
    head.host = absolute->substr(0, path);
    if (!is_authority(head.host)) return malformed(no_target);
    if (path != std::string_view::npos) head.target = absolute->substr(path);
    if (!head.target.starts_with('/')) head.target.insert(0, "/");
    return std::nullopt;
}

HeadFault read_request_line(std::string_view line, RequestHead& head) {
    constexpr std::string_view no_request{"This is not HTTP/1.1."};
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == last) return malformed(no_request);
    head.method = line.substr(0, first);
    const auto version = line.substr(last + 1);
    const bool is_version = version.size() == 8 && version.starts_with("HTTP/") &&
                            version[6] == '.' && is_digits(version.substr(5, 1)) &&
                            is_digits(version.substr(7, 1));
    if (!is_version || !is_token(head.method)) return malformed(no_request);
    if (version[5] != '1') return HttpFault{505, "version_not_supported", "Speak HTTP/1.1."};
    head.minor = version[7] - '0';
    return read_target(line.substr(first + 1, last - first - 1), head);
}

/// All fields of one name.
std::vector<std::string_view> find_values(const RequestHead& head, std::string_view name) {
    std::vector<std::string_view> values;
    for (const auto& [each, value] : head.fields) {
        if (same_word(each, name)) values.emplace_back(value);
    }
    return values;
}

bool has_word(const std::vector<std::string_view>& lists, std::string_view wanted) {
    for (auto list : lists) {
        while (!list.empty()) {
            const auto comma = list.find(',');
            if (same_word(trimmed(list.substr(0, comma)), wanted)) return true;
            list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
        }
    }
    return false;
}

HeadFault read_host(RequestHead& head) {
    constexpr std::string_view one_host{"A request names its Host, once."};
    const auto hosts = find_values(head, "host");
    if (hosts.size() > 1 || (hosts.empty() && head.minor >= 1)) return malformed(one_host);
    if (hosts.empty()) return std::nullopt;
    if (!is_authority(hosts[0])) return malformed(one_host);
    if (head.host.empty()) head.host = hosts[0];  // An absolute target counts before it.
    return std::nullopt;
}

/// Too large a number is as large as can be.
std::uint64_t parse_digits(std::string_view digits) {
    constexpr auto max = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t number = 0;
    for (const char c : digits) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (number > (max - digit) / 10) return max;
        number = number * 10 + digit;
    }
    return number;
}

/// How long the body is. There is one way to say it, and two sayings are none.
HeadFault read_framing(RequestHead& head) {
    const auto codings = find_values(head, "transfer-encoding");
    const auto lengths = find_values(head, "content-length");
    if (codings.empty()) {
        if (lengths.empty()) return std::nullopt;
        if (lengths.size() > 1 || lengths[0].empty() || !is_digits(lengths[0])) {
            return malformed("Content-Length is one number, once.");
        }
        head.length = parse_digits(lengths[0]);
        return std::nullopt;
    }
    if (!lengths.empty()) return malformed("There is Transfer-Encoding and Content-Length.");
    if (head.minor < 1) return malformed("HTTP/1.0 has no Transfer-Encoding.");
    if (codings.size() > 1) return malformed("Transfer-Encoding stands there once.");
    if (!same_word(codings[0], "chunked")) {
        return HttpFault{501, "not_implemented", "Transfer-Encoding is chunked, and only that."};
    }
    head.chunked = true;
    return std::nullopt;
}

}  // namespace

std::variant<std::size_t, HttpFault> HeadFinder::look(std::string_view bytes) {
    const auto end = std::min(bytes.size(), head_bytes_max);
    for (; at_ < end; ++at_) {
        const char c = bytes[at_];
        if (c == '\0') return malformed("There is a NUL in the header.");
        if (at_ > 0 && bytes[at_ - 1] == '\r' && c != '\n') return malformed(no_line);
        if (!begun_ && at_ - line_ >= request_line_max) {
            return HttpFault{414, "target_too_long", "The target is too long."};
        }
        if (c != '\n') continue;
        if (at_ == line_ || bytes[at_ - 1] != '\r') return malformed(no_line);
        const bool is_empty = at_ == line_ + 1;
        line_ = at_ + 1;
        if (is_empty && begun_) return line_;
        begun_ = begun_ || !is_empty;
    }
    if (bytes.size() >= head_bytes_max) {
        return HttpFault{431, "header_too_large", "The header is too large."};
    }
    return std::size_t{0};
}

bool is_field_line(std::string_view line) noexcept {
    const auto colon = line.find(':');
    return colon != std::string_view::npos && is_token(line.substr(0, colon)) &&
           std::all_of(line.begin(), line.end(), is_value_character);
}

std::variant<RequestHead, HttpFault> read_head(std::string_view bytes) {
    while (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
    RequestHead head;
    if (auto fault = read_request_line(next_line(bytes), head)) return *fault;
    for (auto line = next_line(bytes); !line.empty(); line = next_line(bytes)) {
        // A blank before the colon or at the beginning of a line means one thing to some
        // and another to others.
        if (!is_field_line(line)) return malformed("A header field is not well-formed.");
        if (head.fields.size() == fields_max) {
            return HttpFault{431, "header_too_large", "There are too many header fields."};
        }
        const auto colon = line.find(':');
        head.fields.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
    }
    if (auto fault = read_host(head)) return *fault;
    if (auto fault = read_framing(head)) return *fault;
    const auto connection = find_values(head, "connection");
    const bool stays = head.minor >= 1 || has_word(connection, "keep-alive");
    head.keep_alive = stays && !has_word(connection, "close");
    head.expects_continue =
        head.minor >= 1 && has_word(find_values(head, "expect"), "100-continue");
    return head;
}

}  // namespace fanfare
