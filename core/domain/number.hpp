#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace fanfare {

/// All of `text` as a decimal number: without blanks or '+', a '-' only for a signed type.
template <class Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) noexcept {
    Number number{};
    const auto* const end = text.data() + text.size();
    const auto [stopped, fault] = std::from_chars(text.data(), end, number);
    if (fault != std::errc{} || stopped != end) return std::nullopt;
    return number;
}

/// Like it, into `number`, and from 0 on; else false, and `number` stays.
template <class Number>
[[nodiscard]] bool read_number(std::string_view text, Number& number) noexcept {
    const auto found = parse_number<Number>(text);
    if (!found || *found < 0) return false;
    number = *found;
    return true;
}

}  // namespace fanfare
