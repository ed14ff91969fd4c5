#include "worker/providers/harmless.hpp"

#include "worker/providers/encoding.hpp"
#include "worker/providers/registry.hpp"

namespace fanfare {
namespace {

/// The queues of the sending domain.
HttpRequest mailgun_call(OptionReader& reader) {
    HttpRequest request;
    request.get = true;
    request.url =
        reader.url("base_url") + "/v3/domains/" + reader.text("domain") + "/sending_queues";
    request.headers = {basic_authorization("api", reader.text("api_key"))};
    return request;
}

/// One of the messages of before.
HttpRequest twilio_call(OptionReader& reader) {
    HttpRequest request;
    request.get = true;
    request.url = reader.url("base_url") + "/2010-04-01/Accounts/" + reader.text("account_sid") +
                  "/Messages.json?PageSize=1";
    const bool by_token = reader.has("auth_token");
    const auto user = reader.text(by_token ? "account_sid" : "api_key_sid");
    const auto password = reader.text(by_token ? "auth_token" : "api_key_secret");
    request.headers = {basic_authorization(user, password)};
    return request;
}

}  // namespace

std::optional<HttpRequest> harmless_call(const AccountSettings& account) {
    const auto docs = provider_options(account.type);
    OptionReader reader{account, docs};
    std::optional<HttpRequest> request;
    if (account.type == "mailgun") request = mailgun_call(reader);
    if (account.type == "twilio") request = twilio_call(reader);
    if (!reader.problems().empty()) return std::nullopt;
    return request;
}

}  // namespace fanfare
