#pragma once

#include "sim/providers/provider.hpp"

namespace fanfare::sim {

/// Vonage: POST /sms/json and POST /v1/messages. See docs/simulator.md.
[[nodiscard]] std::unique_ptr<SimulatedProvider> make_vonage(const ProviderOptions& options);

}  // namespace fanfare::sim
