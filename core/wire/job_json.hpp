#pragma once

#include "core/wire/job.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace fanfare {

/// One JSON value of a job, as it was written: numbers keep their digits.
struct JsonValue {
    enum class Shape : std::uint8_t { null, boolean, number, string, array, object };

    Shape shape = Shape::null;
    std::string text;               // Of a scalar: "true", "12.50", "Anna".
    std::vector<std::string> keys;  // Of an object: keys[i] belongs to items[i].
    std::vector<JsonValue> items;

    [[nodiscard]] bool is_string() const { return shape == Shape::string; }
    [[nodiscard]] bool is_number() const { return shape == Shape::number; }
    [[nodiscard]] bool is_object() const { return shape == Shape::object; }
    [[nodiscard]] bool is_array() const { return shape == Shape::array; }
    [[nodiscard]] bool is_scalar() const {
        return is_string() || is_number() || shape == Shape::boolean;
    }
};

/// "a string", "an object".
[[nodiscard]] std::string_view to_string(JsonValue::Shape shape) noexcept;

/// Reads one JSON text strictly: what Boost.JSON refuses (bad UTF-8, lone surrogates,
/// trailing bytes, comments), and also repeated keys, NUL characters, numbers that are not
/// finite, and nesting deeper than 8.
///
/// Bounds    at most Job::bytes_max bytes.
[[nodiscard]] std::variant<JsonValue, Rejection> parse_json(std::string_view bytes);

/// decode_job() of what is parsed already.
[[nodiscard]] std::variant<Job, Rejection> read_job(const JsonValue& value);

}  // namespace fanfare
