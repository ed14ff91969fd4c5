#pragma once

#include "core/clock/clock.hpp"

#include <string>

namespace fanfare {

/// What an account may know of the program around it.
///
/// Lifetime  the clock outlives every provider made with it.
struct ProviderContext {
    std::string callback_url;              // Public base of our webhooks; "" for none. An
                                           // account's own is <base>/webhooks/<account name>.
    const Clock* clock = &system_clock();  // For life times that a provider counts from now.
};

}  // namespace fanfare
