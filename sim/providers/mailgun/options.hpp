#pragma once

#include "sim/http/multipart.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fanfare::sim {

/// Checks the o:, h:, v: and t: fields of a Mailgun call.
/// Returns "" or the text of the 400.
[[nodiscard]] std::string check_mailgun_options(const std::vector<Part>& parts, std::int64_t now_s);

}  // namespace fanfare::sim
