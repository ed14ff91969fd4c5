#pragma once

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace fanfare::sim {

/// Collects the names of the {{slots}} of a template. False where it is none: a slot that does
/// not end, has another name than letters and digits, three braces, or a backslash before it.
[[nodiscard]] bool collect_slots(std::string_view text, std::unordered_set<std::string>& names);

/// Fills a good template; what has no value stays as it is. Values are not looked at again, and
/// not escaped.
[[nodiscard]] std::string fill(std::string_view text, const boost::json::object& data);

}  // namespace fanfare::sim
