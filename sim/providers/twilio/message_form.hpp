#pragma once

#include "sim/http/message.hpp"

#include <string_view>
#include <vector>

namespace fanfare::sim {

/// The fields of a send that answers are made of.
struct TwilioMessage {
    std::string_view to, from, service, body, callback, send_at;
};

/// An error code and what it is about; code 0: none.
struct TwilioProblem {
    int code = 0;
    std::string_view subject;
};

[[nodiscard]] TwilioMessage read_twilio_message(const std::vector<Field>& fields);
/// Checks a send as the real service does.
[[nodiscard]] TwilioProblem check_twilio_message(const TwilioMessage& message,
                                                 const std::vector<Field>& fields,
                                                 std::int64_t now_s);
/// What the magic numbers of test credentials mean; 0: success.
[[nodiscard]] TwilioProblem check_magic_numbers(const TwilioMessage& message);

}  // namespace fanfare::sim
