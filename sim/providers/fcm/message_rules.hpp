#pragma once

#include "sim/providers/fcm/schema.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace fanfare::sim {

/// Checks what the schema cannot say: one target, reserved keys, the size of the payload.
[[nodiscard]] Violation check_message(const boost::json::object& message);

/// What registration tokens are made of.
[[nodiscard]] bool is_registration_token(std::string_view token) noexcept;

}  // namespace fanfare::sim
