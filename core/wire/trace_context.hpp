#pragma once

#include "core/wire/cloud_event.hpp"

#include <string>
#include <string_view>

namespace fanfare {

/// The trace that stands beside a message, as encode_trace() has it: in the headers traceparent
/// and tracestate, in any case. "" where there is none, or more than one, or it is none.
[[nodiscard]] std::string read_trace(EventHeaders headers);

}  // namespace fanfare
