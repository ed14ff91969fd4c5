#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Arrays as texts: how many rows travel as one parameter, and come back as one field.
namespace fanfare::postgres {

/// Appends one element to a PostgreSQL array literal under construction ("{" first, "}"
/// last; elements are separated here).
void append_element(std::string& literal, std::string_view value);

/// A PostgreSQL array literal under construction: one column of a statement for many rows.
class ArrayLiteral {
public:
    void add(std::string_view value) { append_element(literal_, value); }
    void add(std::int64_t value) { append_element(literal_, std::to_string(value)); }
    [[nodiscard]] std::string text() const { return literal_ + '}'; }

private:
    std::string literal_{"{"};
};

/// All of them as one: a parameter for text[] or uuid[].
[[nodiscard]] std::string to_array_literal(std::span<const std::string> texts);

/// Splits the text form of a one-dimensional text[] ("{a,\"b c\"}") into its elements.
/// The views point into `storage`, which holds the unescaped bytes; they follow a move.
struct TextArray {
    TextArray() = default;
    TextArray(TextArray&&) = default;
    TextArray& operator=(TextArray&&) = default;

    std::string storage;
    std::vector<std::string_view> elements;
};
void parse_array(std::string_view literal, TextArray& out);

}  // namespace fanfare::postgres
