#pragma once

#include <string>
#include <string_view>

namespace fanfare {

/// Appends one field of CSV (RFC 4180), in quotes where it needs them.
void append_csv(std::string_view field, std::string& out);

}  // namespace fanfare
