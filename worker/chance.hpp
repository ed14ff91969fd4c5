#pragma once

#include <string>

namespace fanfare {

/// Uniform in [0, 1); from any thread.
[[nodiscard]] double any_chance();

/// Eight hexadecimal digits, to tell one worker's log from another's.
[[nodiscard]] std::string random_word();

}  // namespace fanfare
