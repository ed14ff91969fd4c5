#pragma once

#include "core/wire/job.hpp"

#include <string>
#include <string_view>

namespace fanfare {

/// A rejection with a code of rejection_docs(); any other code is a bug and aborts.
/// `pointer` is a JSON pointer ("" for the whole document).
[[nodiscard]] Rejection reject(std::string_view code, std::string_view pointer,
                               std::string_view sentence);

/// The JSON pointer of a member or an element: "/audience" + "a/b" = "/audience/a~1b".
/// Long names are cut: a pointer is for people.
[[nodiscard]] std::string point_to(std::string_view parent, std::string_view name);

}  // namespace fanfare
