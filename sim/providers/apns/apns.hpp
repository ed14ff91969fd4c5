#pragma once

#include "sim/providers/provider.hpp"

namespace fanfare::sim {

/// The Apple Push Notification service: POST /3/device/{token} over HTTP/2.
[[nodiscard]] std::unique_ptr<SimulatedProvider> make_apns(const ProviderOptions& options);

}  // namespace fanfare::sim
