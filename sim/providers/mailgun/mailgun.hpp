#pragma once

#include "sim/providers/provider.hpp"

namespace fanfare::sim {

/// Mailgun: POST /v3/{domain}/messages. See docs/simulator.md and providers/mailgun.md.
[[nodiscard]] std::unique_ptr<SimulatedProvider> make_mailgun(const ProviderOptions& options);

}  // namespace fanfare::sim
