#include "sim/providers/fcm/errors.hpp"

#include "sim/http/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace fanfare::sim {

namespace {

struct FcmErrorText {
    std::string_view code;
    int status;
    std::string_view name;
    std::string_view message;
};

constexpr FcmErrorText errors[] = {
    {"INTERNAL", 500, "INTERNAL", "Internal error encountered."},
    {"UNREGISTERED", 404, "NOT_FOUND", "Requested entity was not found."},
    {"SENDER_ID_MISMATCH", 403, "PERMISSION_DENIED", "SenderId mismatch"},
    {"QUOTA_EXCEEDED", 429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric."},
    {"THIRD_PARTY_AUTH_ERROR", 401, "UNAUTHENTICATED", "Auth error from APNS or Web Push Service"},
    {"INVALID_ARGUMENT", 400, "INVALID_ARGUMENT", "Request contains an invalid argument."},
    {"UNAVAILABLE", 503, "UNAVAILABLE", "The service is currently unavailable."},
};

constexpr std::string_view fcm_error_type = "type.googleapis.com/google.firebase.fcm.v1.FcmError";

void begin(int status, std::string_view name, std::string_view message, Answer& answer) {
    answer.status = status;
    answer.type = "application/json; charset=UTF-8";
    answer.body = fmt::format(R"({{"error":{{"code":{},"message":)", status);
    append_json_string(is_valid_utf8(message) ? message : "Invalid argument", answer.body);
    fmt::format_to(std::back_inserter(answer.body), R"(,"status":"{}")", name);
}

}  // namespace

void say_google_error(int status, std::string_view name, std::string_view message, Answer& answer) {
    begin(status, name, message, answer);
    answer.body.append("}}");
}

void say_fcm_error(std::string_view error_code, Answer& answer) {
    const auto* found =
        std::find_if(std::begin(errors), std::end(errors),
                     [&](const FcmErrorText& error) { return error.code == error_code; });
    const auto& error = found == std::end(errors) ? errors[0] : *found;
    begin(error.status, error.name, error.message, answer);
    fmt::format_to(std::back_inserter(answer.body),
                   R"(,"details":[{{"@type":"{}","errorCode":"{}"}}]}}}})", fcm_error_type,
                   error.code);
}

void say_fcm_violation(const Violation& violation, Answer& answer) {
    begin(400, "INVALID_ARGUMENT", violation.description, answer);
    answer.body.append(R"(,"details":[{"@type":"type.googleapis.com/google.rpc.BadRequest",)"
                       R"("fieldViolations":[{"field":)");
    append_json_string(violation.field, answer.body);
    answer.body.append(R"(,"description":)");
    append_json_string(violation.description, answer.body);
    fmt::format_to(std::back_inserter(answer.body),
                   R"(}}]}},{{"@type":"{}","errorCode":"INVALID_ARGUMENT"}}]}}}})", fcm_error_type);
}

void say_fcm_bad_token(Answer& answer) {
    say_fcm_violation(
        {"message.token", "The registration token is not a valid FCM registration token"}, answer);
}

}  // namespace fanfare::sim
