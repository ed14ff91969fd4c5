#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace fanfare::api {

/// Appends one record of CSV (RFC 4180), fields in quotes where they need them.
void append_csv_row(std::initializer_list<std::string_view> fields, std::string& out);

}  // namespace fanfare::api
