#pragma once

#include "sim/providers/provider.hpp"

namespace fanfare::sim {

/// Twilio: POST /2010-04-01/Accounts/{sid}/Messages.json. See docs/simulator.md.
[[nodiscard]] std::unique_ptr<SimulatedProvider> make_twilio(const ProviderOptions& options);

}  // namespace fanfare::sim
