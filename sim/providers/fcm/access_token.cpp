#include "sim/providers/fcm/access_token.hpp"

#include <fmt/format.h>

#include <charconv>
#include <functional>

namespace fanfare::sim {

namespace {

constexpr std::string_view prefix = "ya29.sim.";
constexpr std::size_t stem_size = prefix.size() + 16 + 1 + 8;

std::string stem(std::int64_t expires_s, std::uint32_t generation) {
    return fmt::format("{}{:016x}.{:08x}", prefix, expires_s, generation);
}

std::size_t seal(std::string_view stem) { return std::hash<std::string_view>{}(stem); }

template <class Number>
bool read_hex(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::string make_access_token(std::int64_t expires_s, std::uint32_t generation) {
    const auto begin = stem(expires_s, generation);
    return fmt::format("{}.{:016x}", begin, seal(begin));
}

bool is_good_access_token(std::string_view token, std::int64_t now_s, std::uint32_t generation) {
    std::int64_t expires_s = 0;
    std::uint32_t made_in = 0;
    std::size_t sealed = 0;
    return token.size() == stem_size + 17 && token.starts_with(prefix) &&
           read_hex(token.substr(prefix.size(), 16), expires_s) &&
           read_hex(token.substr(prefix.size() + 17, 8), made_in) &&
           read_hex(token.substr(stem_size + 1), sealed) &&
           sealed == seal(token.substr(0, stem_size)) && expires_s > now_s && made_in == generation;
}

}  // namespace fanfare::sim
