#pragma once

#include "sim/http/message.hpp"

#include <string_view>

namespace fanfare::sim {

/// Words a Twilio error: {"code","message","more_info","status"}. A '{}' in the text of the
/// code is replaced by `subject`. Unknown codes get status 400 and a general text.
void say_twilio_error(int code, std::string_view subject, Answer& answer);

}  // namespace fanfare::sim
