#pragma once

#include "core/wire/job.hpp"
#include "producer/http/exchange.hpp"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace fanfare::api {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// The headers of a request, those of a CloudEvent (ce-...) as the event has them: over HTTP they
/// may be quoted, and are percent-encoded.
[[nodiscard]] std::variant<HeaderList, Rejection> event_headers(const HttpCall& call);

}  // namespace fanfare::api
