#pragma once

#include <boost/json/value.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fanfare::sim {

/// What a field of the request may hold. Names are snake_case; camelCase is taken as well.
enum class FieldKind : std::uint8_t {
    text,
    boolean,
    number,       // An integer, or one written as a string, as proto JSON allows.
    duration,     // "3.5s"
    choice,       // One of `choices`, separated by blanks.
    texts,        // A list of strings.
    text_map,     // Strings to strings.
    free_object,  // Any JSON object.
    record,       // `fields`
};

struct FieldRule {
    std::string_view name;
    FieldKind kind;
    std::string_view choices = {};
    std::span<const FieldRule> fields = {};
};

/// The first thing wrong: where, and in words. Empty description: all is well.
struct Violation {
    std::string field;
    std::string description;
};

/// The body of messages:send.
[[nodiscard]] std::span<const FieldRule> send_request_rules() noexcept;

[[nodiscard]] Violation check_record(const boost::json::object& object,
                                     std::span<const FieldRule> rules, std::string_view where);

/// "collapse_key" for "collapse_key" and "collapseKey".
[[nodiscard]] bool names_field(std::string_view given, std::string_view snake) noexcept;
/// A member by either name; null when absent.
[[nodiscard]] const boost::json::value* member(const boost::json::object& object,
                                               std::string_view snake) noexcept;

}  // namespace fanfare::sim
