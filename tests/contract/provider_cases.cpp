#include "tests/contract/accounts.hpp"
#include "tests/contract/provider_checks.hpp"

#include <ostream>

namespace fanfare::testing {

void PrintTo(const ProviderCase& provider_case, std::ostream* out) { *out << provider_case.name; }

namespace {

constexpr auto vonage_problem =
    R"({"type":"https://developer.vonage.com/api-errors/messages#1030","title":"Internal error"})";

}  // namespace

const std::vector<ProviderCase>& provider_cases() {
    static const std::vector<ProviderCase> cases{
        {"mailgun", [] { return open(mailgun_account()); }, read_mailgun,
         R"({"id":"<1.2@mg.example.org>","message":"Queued. Thank you."})", 200, "",
         R"({"message":"Internal Server Error"})"},
        {"sendgrid", [] { return open(sendgrid_account()); }, read_sendgrid, "", 202,
         "DzXCdxTHQAOJ2v9jnBZHPA",
         R"({"errors":[{"message":"internal server error","field":null,"help":null}]})"},
        {"ses", [] { return open(ses_account()); }, read_ses,
         R"({"BulkEmailEntryResults":[{"Status":"SUCCESS","MessageId":"0100-1"},)"
         R"({"Status":"SUCCESS","MessageId":"0100-2"}]})",
         200, "", R"({"__type":"com.amazonaws.sesv2#InternalFailure","message":"It has failed."})"},
        {"smtp", [] { return open(smtp_account()); }, read_smtp, "2.0.0 Ok: queued as 4ABC", 250},
        {"twilio", [] { return open(twilio_account()); }, read_twilio,
         R"({"sid":"SM00000000000000000000000000000002","status":"queued"})", 201, "",
         R"({"code":20503,"message":"Service unavailable","status":503})", true},
        {"fcm", [] { return open(fcm_account()); }, read_fcm,
         R"({"name":"projects/test-project/messages/0:15%31"})", 200, "",
         R"({"error":{"code":503,"message":"x","status":"UNAVAILABLE","details":[{"@type":)"
         R"("type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"UNAVAILABLE"}]}})"},
        {"vonage", [] { return open(vonage_account()); }, read_vonage_sms,
         R"({"message-count":"1","messages":[{"message-id":"0A0000000123ABCD1","status":"0"}]})",
         200, "", vonage_problem},
        {"vonage_messages", [] { return open(vonage_messages_account()); }, read_vonage_messages,
         R"({"message_uuid":"aaaaaaaa-bbbb-cccc-dddd-0123456789ab"})", 202, "", vonage_problem},
        {"apns", [] { return open(apns_account()); }, read_apns, "", 200,
         "eabeae54-14a8-11e5-b60b-1697f925ec7b", R"({"reason":"ServiceUnavailable"})"},
    };
    return cases;
}

}  // namespace fanfare::testing
