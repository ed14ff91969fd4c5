#pragma once

#include "core/http/exchange.hpp"

#include <string_view>

namespace fanfare {

/// Keeps a header of an answer where `answer` has a place for it; `name` in any letter case.
void keep_header(HttpAnswer& answer, std::string_view name, std::string_view value);

}  // namespace fanfare
