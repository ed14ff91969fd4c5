#include "core/settings/text_rules.hpp"

#include "core/domain/number.hpp"
#include "core/domain/utf8.hpp"
#include "core/time_zones/time_zone.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <cmath>

namespace fanfare {
namespace {

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_word_character(char c) {
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_broker(std::string_view text) {
    const auto colon = text.rfind(':');
    const auto bracket = text.rfind(']');
    auto host = text;
    if (colon != std::string_view::npos && (bracket == std::string_view::npos || bracket < colon)) {
        const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
        if (!port || *port == 0) return false;
        host = text.substr(0, colon);
    }
    if (host.starts_with('[') != host.ends_with(']')) return false;
    const bool bracketed = host.starts_with('[');
    return !host.empty() && std::all_of(host.begin(), host.end(), [&](char c) {
        return is_word_character(c) || c == '-' || c == '.' ||
               (bracketed && (c == '[' || c == ']' || c == ':'));
    });
}

bool is_broker_list(std::string_view text) {
    if (text == "embedded") return true;
    while (true) {
        const auto comma = text.find(',');
        const auto broker = text.substr(0, comma);
        if (!is_broker(broker) || broker == "embedded") return false;
        if (comma == std::string_view::npos) return true;
        text.remove_prefix(comma + 1);
    }
}

bool is_inner_path(std::string_view text) {
    while (!text.empty()) {
        const auto slash = text.find('/');
        const auto part = text.substr(0, slash);
        if (part.empty() || part == "." || part == "..") return false;
        if (slash == std::string_view::npos) return true;
        text.remove_prefix(slash + 1);
    }
    return false;
}

bool is_sql_name(std::string_view text) {
    constexpr std::size_t bytes_max = 63;  // PostgreSQL cuts longer ones.
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    return !text.empty() && text.size() <= bytes_max && !is_digit(text.front()) &&
           std::all_of(text.begin(), text.end(),
                       [&](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_'; });
}

bool is_loopback(const boost::urls::url_view& url) {
    if (url.host_type() == boost::urls::host_type::ipv4) {
        return url.host_ipv4_address().is_loopback();
    }
    if (url.host_type() == boost::urls::host_type::ipv6) {
        return url.host_ipv6_address().is_loopback();
    }
    return url.host() == "localhost";
}

}  // namespace

bool is_base_url(std::string_view text, bool allow_http) {
    constexpr std::size_t bytes_max = 500;
    const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
    if (!parsed || text.size() > bytes_max) return false;
    const auto& url = *parsed;
    // Boost 1.81 reads "http://127.0.0.1.example.com" as host 127.0.0.1 and a path that goes on
    // with ".example.com"; everybody else would ask the name server for all of it.
    const std::string path = url.path();
    if (!path.empty() && path.front() != '/') return false;
    if (url.host().empty() || url.has_userinfo() || url.has_query() || url.has_fragment()) {
        return false;
    }
    if (url.has_port() && url.port_number() == 0) return false;
    if (url.scheme() == "https") return true;
    return url.scheme() == "http" && allow_http && is_loopback(url);
}

TextRule plain_text(std::size_t bytes_min, std::size_t bytes_max) {
    return {fmt::format("{} to {} bytes of text without control characters", bytes_min, bytes_max),
            [=](std::string_view text) {
                return text.size() >= bytes_min && text.size() <= bytes_max &&
                       !has_control_character(text) && is_utf8(text);
            }};
}

TextRule time_zone_or_empty() {
    return {"a time zone such as Europe/Paris",
            [](std::string_view text) { return text.empty() || TimeZone::find(text).has_value(); }};
}

TextRule one_of(const std::vector<std::string>& words) {
    return {list_words(words), [=](std::string_view text) {
                return std::find(words.begin(), words.end(), text) != words.end();
            }};
}

TextRule name_pattern(std::size_t bytes_max, std::string_view more) {
    std::string extra{more};
    return {fmt::format("1 to {} characters of a-z, 0-9 and {}", bytes_max, more),
            [=](std::string_view text) {
                return !text.empty() && text.size() <= bytes_max &&
                       std::all_of(text.begin(), text.end(), [&](char c) {
                           return is_lower_or_digit(c) || extra.find(c) != std::string::npos;
                       });
            }};
}

TextRule sql_name(bool qualified) {
    return {qualified ? "a table, or schema.table: a-z, 0-9 and _, no digit first"
                      : "1 to 63 characters of a-z, 0-9 and _, no digit first",
            [=](std::string_view text) {
                const auto dot = text.find('.');
                if (!qualified || dot == std::string_view::npos) return is_sql_name(text);
                return is_sql_name(text.substr(0, dot)) && is_sql_name(text.substr(dot + 1));
            }};
}

TextRule broker_list() { return {"embedded, or host:port with commas between", is_broker_list}; }

TextRule topic_prefix() {
    // Kafka allows 249 characters; ours ends in ".chunks.urgent".
    constexpr std::size_t bytes_max = 200;
    return {"1 to 200 characters of A-Z, a-z, 0-9, ., _ and -", [](std::string_view text) {
                return !text.empty() && text.size() <= bytes_max &&
                       std::all_of(text.begin(), text.end(), [](char c) {
                           return is_word_character(c) || c == '.' || c == '-';
                       });
            }};
}

TextRule ip_address() {
    return {"an IPv4 or IPv6 address", [](std::string_view text) {
                const std::string address{text};
                in6_addr bytes{};
                return inet_pton(AF_INET, address.c_str(), &bytes) == 1 ||
                       inet_pton(AF_INET6, address.c_str(), &bytes) == 1;
            }};
}

TextRule base_url_or_empty() {
    return {"empty, or an https:// URL without user, query and fragment (http:// on loopback only)",
            [](std::string_view text) { return text.empty() || is_base_url(text, true); }};
}

TextRule inner_path() {
    return {"a relative path without .., at most 200 bytes", [](std::string_view text) {
                return text.size() <= 200 && !has_control_character(text) && is_inner_path(text);
            }};
}

bool is_variable_name(std::string_view text) {
    return !text.empty() && text.size() <= 100 && !(text[0] >= '0' && text[0] <= '9') &&
           std::all_of(text.begin(), text.end(), is_word_character);
}

bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::optional<std::int64_t> parse_whole(std::string_view text) {
    return parse_number<std::int64_t>(text);
}

std::optional<double> parse_real(std::string_view text) {
    const auto number = parse_number<double>(text);
    if (!number || !std::isfinite(*number)) return std::nullopt;
    return number;
}

std::optional<std::int64_t> parse_json_whole(std::string_view text) {
    if (const auto whole = parse_whole(text)) return whole;
    constexpr double exact_max = 9'007'199'254'740'992;  // Up to there each has its own double.
    const auto real = parse_real(text);
    if (!real || std::floor(*real) != *real || std::abs(*real) > exact_max) return std::nullopt;
    return static_cast<std::int64_t>(*real);
}

std::optional<bool> parse_flag(std::string_view text) {
    if (text == "true") return true;
    if (text == "false") return false;
    return std::nullopt;
}

std::string list_words(const std::vector<std::string>& words) {
    if (words.size() < 2) return fmt::format("{}", fmt::join(words, ""));
    return fmt::format("{} or {}", fmt::join(words.begin(), words.end() - 1, ", "), words.back());
}

}  // namespace fanfare
