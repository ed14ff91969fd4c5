#pragma once

#include "sim/http/message.hpp"

#include <string_view>

namespace fanfare::sim {

/// 200 with one refused part, as the SMS API says it.
void say_vonage_status(int status, std::string_view to, Answer& answer);

/// A problem of the Messages API. The status goes with the code; 422 for codes without one.
void say_vonage_problem(std::string_view code, std::string_view detail, Answer& answer);

}  // namespace fanfare::sim
