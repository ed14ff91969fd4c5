#include "core/web/text.hpp"

#include <boost/beast/core/error.hpp>
#include <boost/beast/http/status.hpp>

#include <algorithm>

namespace fanfare {
namespace {

constexpr char lowered(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

bool same_word(std::string_view left, std::string_view right) noexcept {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](char a, char b) { return lowered(a) == lowered(b); });
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::transform(out.begin(), out.end(), out.begin(), lowered);
    return out;
}

std::string_view trimmed(std::string_view text) noexcept {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    const char small = lowered(c);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

bool is_token_character(char c) noexcept {
    const char small = lowered(c);
    const bool plain = (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9');
    return plain || (c > ' ' && std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string::npos);
}

bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

bool is_value_character(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

std::string_view reason_phrase(int status) noexcept {
    const auto phrase =
        boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
    return {phrase.data(), phrase.size()};
}

}  // namespace fanfare
