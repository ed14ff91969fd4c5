#pragma once

#include "core/settings/settings.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <optional>

namespace fanfare::ledger {

/// Waits until the ledger has answered and check_fit() has nothing against it: nobody works on a
/// ledger that nobody has looked at. Nothing then; otherwise the code that the program ends with,
/// exit_ok where it was asked to end first, which `stopping` says from then on.
///
/// Threads   that of `loop`, which nobody runs yet.
[[nodiscard]] std::optional<int> wait_for_ledger(const Settings& settings,
                                                 boost::asio::io_context& loop,
                                                 std::atomic<bool>& stopping);

}  // namespace fanfare::ledger
