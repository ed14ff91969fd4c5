#pragma once

#include "sim/providers/provider.hpp"

namespace fanfare::sim {

/// Amazon SES: POST /v2/email/outbound-bulk-emails
[[nodiscard]] std::unique_ptr<SimulatedProvider> make_ses(const ProviderOptions& options);

}  // namespace fanfare::sim
