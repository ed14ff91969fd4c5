#pragma once

#include <string>
#include <string_view>

namespace fanfare::kafka {

/// What librdkafka says, fit for a log: its own sentence in one bounded line. What stands in quotes
/// is left out, because others chose it (a value of a setting, a name), and so is what a broker
/// says of a login.
[[nodiscard]] std::string own_words(std::string_view text);

}  // namespace fanfare::kafka
