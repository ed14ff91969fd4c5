#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Reading JSON of strangers: nothing throws, what is not there reads as absent.
namespace fanfare::receipts {

using Object = boost::json::object;

/// One JSON text, nested 32 deep at most, without a fault.
[[nodiscard]] std::optional<boost::json::value> parse_strictly(std::string_view bytes);
/// One JSON text, nested 32 deep at most; its bad strings are mended (see mended()).
[[nodiscard]] std::optional<boost::json::value> parse_document(std::string_view bytes);

/// The elements of a JSON array. One that cannot be read is null, and loses no other.
[[nodiscard]] std::optional<boost::json::array> parse_elements(std::string_view bytes);

/// A string; "" where it is absent or something else.
[[nodiscard]] std::string_view get_text(const Object& object, std::string_view key);
/// A string or a whole number as text: some providers write both.
[[nodiscard]] std::string get_word(const Object& object, std::string_view key);
/// Whole seconds of a number, written as a number or as text; 0 where there is none.
[[nodiscard]] std::int64_t get_seconds(const Object& object, std::string_view key);
/// An object; an empty one where it is absent or something else.
[[nodiscard]] const Object& get_object(const Object& object, std::string_view key);
/// An array; null where it is absent or something else.
[[nodiscard]] const boost::json::array* get_array(const Object& object, std::string_view key);

/// Unix seconds in decimal, as signatures cover them.
[[nodiscard]] std::optional<std::int64_t> unix_seconds(std::string_view text);
/// Unix seconds of "2026-01-01T00:00:03.123Z"; 0 where it is no such thing.
[[nodiscard]] std::int64_t moment_seconds(std::string_view text);

}  // namespace fanfare::receipts
