#pragma once

#include "sim/providers/provider.hpp"

namespace fanfare::sim {

/// SendGrid: POST /v3/mail/send
[[nodiscard]] std::unique_ptr<SimulatedProvider> make_sendgrid(const ProviderOptions& options);

}  // namespace fanfare::sim
