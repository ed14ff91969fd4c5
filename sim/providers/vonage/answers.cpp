#include "sim/providers/vonage/answers.hpp"

#include "sim/http/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace fanfare::sim {

namespace {

struct StatusText {
    int status;
    std::string_view text;
};

constexpr StatusText status_texts[] = {
    {1, "Throughput Rate Exceeded - please wait [ 250 ] and retry"},
    {2, "Missing Parameters"},
    {3, "Invalid value for parameter"},
    {4, "Bad Credentials"},
    {5, "Internal Error"},
    {6, "Unroutable message - rejected"},
    {7, "Number barred"},
    {8, "Partner account barred"},
    {9, "Quota Exceeded - rejected"},
    {10, "Too Many Existing Binds"},
    {11, "Account Not Enabled For HTTP"},
    {12, "Message Too Long"},
    {14, "Invalid Signature"},
    {15, "Invalid Sender Address"},
    {22, "Invalid Network Code"},
    {23, "Invalid Callback URL"},
    {29, "Non-Whitelisted Destination"},
    {32, "Signature And API Secret Disallowed"},
    {33, "Number De-activated"},
};

struct Problem {
    std::string_view code;
    int status;
    std::string_view title;
};

constexpr Problem problems[] = {
    {"unauthorized", 401, "You did not provide correct credentials."},
    {"1000", 429, "Throttled"},
    {"1010", 422, "Missing params"},
    {"1020", 422, "Invalid params"},
    {"1030", 500, "Internal error"},
    {"1040", 422, "Unroutable message"},
    {"1050", 422, "Number barred"},
    {"1070", 402, "Partner quota violation"},
    {"1090", 422, "Message too long"},
    {"1120", 422, "Illegal sender address"},
    {"1130", 422, "Invalid TTL"},
    {"1170", 422, "Invalid or missing MSISDN parameter"},
    {"1240", 422, "Illegal Number - opted out"},
    {"1241", 422, "Too many send events"},
};

}  // namespace

void say_vonage_status(int status, std::string_view to, Answer& answer) {
    const auto* found =
        std::find_if(std::begin(status_texts), std::end(status_texts),
                     [status](const StatusText& one) { return one.status == status; });
    answer.status = 200;
    answer.body =
        fmt::format(R"({{"message-count":"1","messages":[{{"status":"{}","error-text":)", status);
    append_json_string(found == std::end(status_texts) ? "Refused" : found->text, answer.body);
    if (!to.empty() && is_ascii(to)) {
        answer.body.append(",\"to\":");
        append_json_string(to.starts_with('+') ? to.substr(1) : to, answer.body);
    }
    answer.body.append("}]}");
}

void say_vonage_problem(std::string_view code, std::string_view detail, Answer& answer) {
    const auto* found = std::find_if(std::begin(problems), std::end(problems),
                                     [code](const Problem& one) { return one.code == code; });
    const bool known = found != std::end(problems);
    answer.status = known ? found->status : 422;
    answer.type = "application/problem+json";
    answer.body = R"({"type":)";
    append_json_string(fmt::format("https://developer.vonage.com/api-errors/messages#{}", code),
                       answer.body);
    answer.body.append(",\"title\":");
    append_json_string(known ? found->title : "Refused", answer.body);
    answer.body.append(",\"detail\":");
    append_json_string(is_valid_utf8(detail) ? detail : "not UTF-8", answer.body);
    answer.body.append(R"(,"instance":"bf0ca0bf927b3b52e3cb03217e1a1ddf"})");
}

}  // namespace fanfare::sim
