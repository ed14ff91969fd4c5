#pragma once

#include "sim/http/message.hpp"
#include "sim/providers/fcm/schema.hpp"

#include <string_view>

namespace fanfare::sim {

/// An error with the documented FcmError detail: UNREGISTERED, SENDER_ID_MISMATCH,
/// QUOTA_EXCEEDED, THIRD_PARTY_AUTH_ERROR, INVALID_ARGUMENT, UNAVAILABLE, INTERNAL.
void say_fcm_error(std::string_view error_code, Answer& answer);
/// 400 with the field named.
void say_fcm_violation(const Violation& violation, Answer& answer);
/// 400 of a token that is not one.
void say_fcm_bad_token(Answer& answer);
/// An error without an FcmError detail.
void say_google_error(int status, std::string_view name, std::string_view message, Answer& answer);

}  // namespace fanfare::sim
