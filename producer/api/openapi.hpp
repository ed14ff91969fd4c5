#pragma once

#include <string_view>

namespace fanfare::api {

/// docs/openapi.yaml as it was when this was built.
[[nodiscard]] std::string_view openapi_document() noexcept;

}  // namespace fanfare::api
