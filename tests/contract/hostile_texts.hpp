#pragma once

#include <string>
#include <vector>

namespace fanfare::testing {

/// What a malicious creator or follower might call themselves.
[[nodiscard]] const std::vector<std::string>& hostile_texts();

/// What a reader should be shown of one of them: U+FFFD for each byte that is no UTF-8.
[[nodiscard]] std::string mended(const std::string& hostile);

}  // namespace fanfare::testing
