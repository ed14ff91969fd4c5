#pragma once

#include "core/domain/words.hpp"

#include <string>
#include <string_view>

namespace fanfare::api {

/// What became of one person on one channel, and why, as a sentence.
[[nodiscard]] std::string why(Outcome outcome, Reason reason);

/// Whether somebody is in the audience; `is_complete`: all of it is known.
[[nodiscard]] std::string_view why_planned(bool is_in_it, bool is_complete) noexcept;

}  // namespace fanfare::api
