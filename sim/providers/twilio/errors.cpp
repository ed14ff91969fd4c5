#include "sim/providers/twilio/errors.hpp"

#include "sim/http/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace fanfare::sim {

namespace {

struct TwilioError {
    int code;
    int status;
    std::string_view text;
};

constexpr TwilioError errors[] = {
    {20001, 400, "Bad parameter: {}"},
    {20003, 401, "Authenticate"},
    {20004, 405, "Method not allowed"},
    {20008, 403, "Resource not accessible with Test Account Credentials"},
    {20404, 404, "The requested resource {} was not found"},
    {20429, 429, "Too Many Requests"},
    {20500, 500, "Internal Server Error"},
    {20503, 503, "Service Unavailable"},
    {20504, 504, "Gateway Timeout"},
    {21211, 400, "Invalid 'To' Phone Number: {}"},
    {21212, 400, "Invalid From Number (caller ID): {}"},
    {21266, 400, "'To' and 'From' number cannot be the same: {}"},
    {21408, 400,
     "Permission to send an SMS has not been enabled for the region indicated by the "
     "'To' number: {}"},
    {21602, 400, "Message body is required."},
    {21603, 400, "A 'From' phone number is required."},
    {21604, 400, "A 'To' phone number is required."},
    {21606, 400,
     "The 'From' phone number provided is not a valid message-capable Twilio phone "
     "number for this destination."},
    {21609, 400, "The StatusCallback URL {} is not a valid URL."},
    {21610, 400, "Attempt to send to unsubscribed recipient"},
    {21611, 429, "This 'From' number has exceeded the maximum number of queued messages"},
    {21612, 400,
     "Message cannot be sent with the current combination of 'To' and/or 'From' "
     "parameters: {}"},
    {21614, 400, "'To' number is not a valid mobile number: {}"},
    {21617, 400, "The concatenated message body exceeds the 1600 character limit."},
    {21620, 400, "Invalid media URL: {}"},
    {21701, 400, "The Messaging Service SID {} is not valid."},
    {35114, 400, "SendAt is missing or is not a valid time."},
    {35118, 400, "MessagingServiceSid is required to schedule a message."},
};

}  // namespace

void say_twilio_error(int code, std::string_view subject, Answer& answer) {
    const auto* found = std::find_if(std::begin(errors), std::end(errors),
                                     [&](const TwilioError& error) { return error.code == code; });
    const bool known = found != std::end(errors);
    const auto status = known ? found->status : 400;
    const std::string_view text = known ? found->text : "The request was refused: {}";
    const auto hole = text.find("{}");
    std::string message{text.substr(0, hole)};
    if (hole != text.npos) message.append(subject).append(text.substr(hole + 2));
    answer.status = status;
    answer.type = "application/json";
    answer.body = fmt::format("{{\"code\":{},\"message\":", code);
    append_json_string(is_valid_utf8(message) ? message : "Bad parameter", answer.body);
    fmt::format_to(std::back_inserter(answer.body),
                   R"(,"more_info":"https://www.twilio.com/docs/errors/{}","status":{}}})", code,
                   status);
}

}  // namespace fanfare::sim
