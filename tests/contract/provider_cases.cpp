#include "tests/contract/accounts.hpp"
#include "tests/contract/provider_checks.hpp"

#include <ostream>

namespace fanfare::testing {

void PrintTo(const ProviderCase& provider_case, std::ostream* out) { *out << provider_case.name; }

const std::vector<ProviderCase>& provider_cases() {
    static const std::vector<ProviderCase> cases{
        {"mailgun", [] { return open(mailgun_account()); }, read_mailgun,
         R"({"id":"<1.2@mg.example.org>","message":"Queued. Thank you."})", 200},
        {"sendgrid", [] { return open(sendgrid_account()); }, read_sendgrid, "", 202,
         "DzXCdxTHQAOJ2v9jnBZHPA"},
        {"ses", [] { return open(ses_account()); }, read_ses,
         R"({"BulkEmailEntryResults":[{"Status":"SUCCESS","MessageId":"0100-1"},)"
         R"({"Status":"SUCCESS","MessageId":"0100-2"}]})",
         200},
        {"twilio", [] { return open(twilio_account()); }, read_twilio,
         R"({"sid":"SM00000000000000000000000000000002","status":"queued"})", 201},
        {"fcm", [] { return open(fcm_account()); }, read_fcm,
         R"({"name":"projects/test-project/messages/0:15%31"})", 200},
    };
    return cases;
}

}  // namespace fanfare::testing
