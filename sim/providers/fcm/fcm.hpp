#pragma once

#include "sim/providers/provider.hpp"

namespace fanfare::sim {

/// Firebase Cloud Messaging: POST /v1/projects/{p}/messages:send. See docs/simulator.md.
[[nodiscard]] std::unique_ptr<SimulatedProvider> make_fcm(const ProviderOptions& options);

/// Its OAuth2 token endpoint, POST /token: a provider of its own, so that it can fail alone.
[[nodiscard]] std::unique_ptr<SimulatedProvider> make_fcm_token(const ProviderOptions& options);

}  // namespace fanfare::sim
