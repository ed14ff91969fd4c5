// Calls that prove an account's credentials and do nothing else, by vendor.
#include "core/providers/harmless.hpp"

#include "core/audience/address.hpp"
#include "core/providers/apns/es256.hpp"
#include "core/providers/apns/provider_token.hpp"
#include "core/providers/encoding.hpp"
#include "core/providers/registry.hpp"
#include "core/providers/ses/sigv4.hpp"

#include <fmt/format.h>

namespace fanfare {
namespace {

HttpRequest get(std::string url, std::vector<std::string> headers) {
    HttpRequest request;
    request.get = true;
    request.url = std::move(url);
    request.headers = std::move(headers);
    return request;
}

/// The queues of the sending domain.
HttpRequest mailgun_call(OptionReader& reader) {
    return get(reader.url("base_url") + "/v3/domains/" + reader.text("domain") + "/sending_queues",
               {basic_authorization("api", reader.text("api_key"))});
}

/// One of the messages of before.
HttpRequest twilio_call(OptionReader& reader) {
    const bool by_token = reader.has("auth_token");
    const auto user = reader.text(by_token ? "account_sid" : "api_key_sid");
    const auto password = reader.text(by_token ? "auth_token" : "api_key_secret");
    return get(reader.url("base_url") + "/2010-04-01/Accounts/" + reader.text("account_sid") +
                   "/Messages.json?PageSize=1",
               {basic_authorization(user, password)});
}

/// What the key may do.
HttpRequest sendgrid_call(OptionReader& reader) {
    auto request = get(reader.url("base_url") + "/v3/scopes",
                       {header_line("Authorization", "Bearer " + reader.text("api_key")),
                        "Accept: application/json"});
    if (reader.has("on_behalf_of")) {
        request.headers.push_back(header_line("on-behalf-of", reader.text("on_behalf_of")));
    }
    return request;
}

/// The account's quota.
HttpRequest ses_call(OptionReader& reader, std::int64_t now_unix) {
    const auto region = reader.text("region");
    const auto base_url = reader.has("base_url") ? reader.url("base_url")
                                                 : "https://email." + region + ".amazonaws.com";
    const auto url = base_url + "/v2/email/account";
    const auto host = url.find("://") + 3;
    const auto path = url.find('/', host);
    auto named = std::string_view{url}.substr(host, path - host);
    if (named.ends_with(":443")) named.remove_suffix(4);  // As clients say it.
    const auto date = ses::amz_date(now_unix);
    const auto token = reader.text("session_token");
    const ses::Signer signer{
        {reader.text("access_key_id"), Secret{reader.text("secret_access_key")}, token},
        region,
        "ses"};
    const auto authorization = signer.authorization({.host = named,
                                                     .path = std::string_view{url}.substr(path),
                                                     .content_type = {},
                                                     .date = date,
                                                     .session_token = {},
                                                     .body = {},
                                                     .method = "GET"});
    auto request =
        get(url, {header_line("X-Amz-Date", date), header_line("Authorization", authorization)});
    if (!token.empty()) request.headers.push_back(header_line("X-Amz-Security-Token", token));
    return request;
}

/// The account's balance. Whoever signs requests, or is an application, may not ask for it.
std::optional<HttpRequest> vonage_call(OptionReader& reader) {
    if (!reader.has("api_secret")) return std::nullopt;
    const auto base_url =
        reader.has("base_url") ? reader.url("base_url") : std::string{"https://rest.nexmo.com"};
    return get(base_url + "/account/get-balance",
               {basic_authorization(reader.text("api_key"), reader.text("api_secret"))});
}

/// A message for a token that no device can have: who we are is looked at first. Apple takes a new
/// provider token every 20 minutes, so one that is made of these is the same for as long.
std::optional<HttpRequest> apns_call(OptionReader& reader, std::int64_t now_unix) {
    auto key = apns::parse_es256_key(reader.text("private_key"));
    if (!key) return std::nullopt;
    constexpr std::int64_t token_every_s = 20 * 60;
    const auto token =
        apns::sign_es256(*key, apns::token_input(reader.text("key_id"), reader.text("team_id"),
                                                 now_unix - now_unix % token_every_s));
    HttpRequest request;
    request.http2 = true;
    request.url = reader.url("base_url") + "/3/device/000";  // No whole bytes.
    request.headers = {"content-type: application/json",
                       header_line("authorization", "bearer " + token),
                       header_line("apns-topic", reader.text("topic")), "apns-push-type: alert",
                       "apns-expiration: 0"};
    request.body = R"({"aps":{"alert":""}})";
    return request;
}

/// A login, and no mail.
std::optional<HttpRequest> smtp_call(OptionReader& reader) {
    const auto from = reader.text("from");
    const auto mailbox = parse_mailbox(from);
    if (!mailbox) return std::nullopt;
    const auto tls = reader.text("tls");
    const bool is_implicit = tls == "implicit";
    const bool has_port = reader.account().options.contains("port");
    const auto port = has_port || !is_implicit ? reader.text("port") : std::string{"465"};
    auto hello = reader.text("hello_name");
    if (hello.empty()) hello = mailbox->address.substr(mailbox->address.find('@') + 1);
    HttpRequest request;
    request.url = fmt::format("{}://{}:{}/{}", is_implicit ? "smtps" : "smtp", reader.text("host"),
                              port, hello);
    request.mail.emplace();
    request.mail->username = reader.text("username");
    request.mail->password = reader.text("password");
    request.mail->cleartext = tls == "none";
    return request;
}

bool holds(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

Proven by_status(const HttpAnswer& answer) {
    constexpr int unauthorized = 401;
    constexpr int forbidden = 403;
    constexpr int not_found = 404;
    const auto status = answer.status;
    const auto proof = status == unauthorized || status == forbidden ? Proof::refused
                       : status == not_found                         ? Proof::unknown
                       : status / 100 == 2                           ? Proof::well
                                                                     : Proof::unclear;
    return {proof, std::to_string(status)};
}

Proven sendgrid_proof(const HttpAnswer& answer) {
    auto proven = by_status(answer);
    if (proven.proof != Proof::well || holds(answer.body, R"("mail.send")")) return proven;
    return {Proof::may_not, "no scope mail.send"};
}

Proven ses_proof(const HttpAnswer& answer) {
    auto proven = by_status(answer);
    if (proven.proof == Proof::well) return proven;
    std::string type = answer.error_type.substr(0, answer.error_type.find(':'));
    if (type.empty()) return proven;
    if (type.starts_with("AccessDenied")) return {Proof::may_not, std::move(type)};
    if (type == "RequestExpired") return {Proof::clock, std::move(type)};
    const bool is_signature = type == "SignatureDoesNotMatch" ||
                              type == "InvalidSignatureException" || type == "IncompleteSignature";
    if (is_signature) proven.proof = Proof::refused;
    proven.what = std::move(type);
    return proven;
}

Proven apns_proof(const HttpAnswer& answer) {
    for (const auto* const topic : {"BadTopic", "TopicDisallowed", "MissingTopic"}) {
        if (holds(answer.body, topic)) return {Proof::unknown, topic};
    }
    if (holds(answer.body, "ExpiredProviderToken")) return {Proof::clock, "ExpiredProviderToken"};
    auto proven = by_status(answer);
    const bool is_answer = answer.status == 400 && holds(answer.body, R"("BadDeviceToken")");
    if (is_answer) return {Proof::well, "BadDeviceToken"};
    if (proven.proof == Proof::refused && holds(answer.body, "InvalidProviderToken")) {
        proven.what = "InvalidProviderToken";
    }
    if (proven.proof == Proof::well || proven.proof == Proof::unknown) {
        proven.proof = Proof::unclear;  // Of APNs it is none.
    }
    return proven;
}

Proven smtp_proof(const AccountSettings& account, const HttpAnswer& answer) {
    const bool logs_in = account.options.contains("username");
    const auto code = std::to_string(answer.status);
    if (answer.status / 100 == 2) {
        const bool has_logged_in = answer.step == MailStep::login;
        if (logs_in && !has_logged_in) return {Proof::refused, "no AUTH PLAIN or LOGIN"};
        return {Proof::well, code};
    }
    const bool is_final = answer.status / 100 == 5;
    return {answer.step == MailStep::login && is_final ? Proof::refused : Proof::unclear, code};
}

}  // namespace

std::optional<HttpRequest> harmless_call(const AccountSettings& account, const Clock& clock) {
    if (std::holds_alternative<Problems>(make_provider(account, {}))) return std::nullopt;
    const auto now = std::chrono::floor<std::chrono::seconds>(clock.now());
    const auto now_unix = std::int64_t{now.time_since_epoch().count()};
    const auto docs = provider_options(account.type);
    OptionReader reader{account, docs};
    if (account.type == "apns") return apns_call(reader, now_unix);
    if (account.type == "mailgun") return mailgun_call(reader);
    if (account.type == "sendgrid") return sendgrid_call(reader);
    if (account.type == "ses") return ses_call(reader, now_unix);
    if (account.type == "smtp") return smtp_call(reader);
    if (account.type == "twilio") return twilio_call(reader);
    if (account.type == "vonage") return vonage_call(reader);
    return std::nullopt;
}

Proven proof_of(const AccountSettings& account, const HttpAnswer& answer) {
    if (answer.transport != Transport::answered) return {Proof::unreachable, answer.fault};
    if (account.type == "apns") return apns_proof(answer);
    if (account.type == "sendgrid") return sendgrid_proof(answer);
    if (account.type == "ses") return ses_proof(answer);
    if (account.type == "smtp") return smtp_proof(account, answer);
    return by_status(answer);
}

}  // namespace fanfare
