#pragma once

#include "core/clock/clock.hpp"
#include "core/web/text.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare {

/// Decodes %XX, and '+' as a blank where `plus` says so. Nothing for a '%' that is not
/// followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text, bool plus);

/// The decoded fields of a form or a query, in their order.
using Form = std::vector<std::pair<std::string, std::string>>;

/// Reads application/x-www-form-urlencoded. Nothing unless all of it is well-formed, or with
/// more than 200 fields. An empty text is an empty form.
[[nodiscard]] std::optional<Form> parse_form(std::string_view text);

/// The first field of this name; "" where there is none.
[[nodiscard]] std::string_view field(const Form& form, std::string_view name) noexcept;

/// "Sat, 21 Nov 2026 12:00:00 GMT".
[[nodiscard]] std::string http_date(TimePoint time);

}  // namespace fanfare
