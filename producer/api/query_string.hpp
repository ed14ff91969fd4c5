#pragma once

#include "producer/http/exchange.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace fanfare::api {

inline constexpr int page_default = 100;
inline constexpr int page_max = 1'000;

/// The query of a call, of which only known fields are taken, once each.
class QueryString {
public:
    /// 400 for a field that is unknown, repeated or empty (but for a cursor: the first page has
    /// none), and for a query that does not decode. What narrows would be about everything.
    [[nodiscard]] static std::variant<QueryString, HttpReply> read(
        const HttpCall& call, std::span<const std::string_view> known);

    [[nodiscard]] std::string_view operator[](std::string_view name) const noexcept;
    /// `limit`, or its default; nothing where it is out of bounds.
    [[nodiscard]] std::optional<int> limit() const;

private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

/// A cursor: two words that mean nothing to callers. Nothing for one that is not ours.
[[nodiscard]] std::string make_cursor(std::string_view first, std::string_view second);
[[nodiscard]] std::optional<std::pair<std::string, std::string>> read_cursor(
    std::string_view cursor);

[[nodiscard]] HttpReply bad_query(std::string_view name, std::string_view expected);

}  // namespace fanfare::api
