#pragma once

#include "sim/http/message.hpp"
#include "sim/webhooks/delivery.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::sim {

/// Appends what events of each recipient will say; `id` is the call's, without brackets.
void describe_mailgun(const Request& request, const std::string& id,
                      std::span<const std::string_view> recipients, std::vector<Delivery>& out);

}  // namespace fanfare::sim
