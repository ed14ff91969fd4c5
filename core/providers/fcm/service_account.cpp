#include "core/providers/fcm/service_account.hpp"

#include "core/crypto/digest.hpp"
#include "core/providers/classification.hpp"
#include "core/providers/encoding.hpp"

namespace fanfare::fcm {
namespace {

constexpr std::string_view scope = "https://www.googleapis.com/auth/firebase.messaging";
constexpr std::string_view google_token_uri = "https://oauth2.googleapis.com/token";
constexpr std::int64_t lifetime_seconds = 3600;

void append_member(std::string_view name, std::string_view value, std::string& out) {
    out.append("\"").append(name).append("\":\"");
    append_json(value, out);
    out.append("\"");
}

}  // namespace

std::optional<ServiceAccount> parse_service_account(std::string_view text) {
    boost::json::value parsed;
    if (!parse_object(text, parsed)) return std::nullopt;
    const auto& object = parsed.get_object();
    ServiceAccount account;
    account.project_id = string_at(object, "project_id");
    account.client_email = string_at(object, "client_email");
    account.private_key_id = string_at(object, "private_key_id");
    account.token_uri = string_at(object, "token_uri");
    account.private_key = parse_private_key(string_at(object, "private_key"), "RSA");
    if (account.token_uri.empty()) account.token_uri = google_token_uri;
    if (account.client_email.empty() || !account.private_key) return std::nullopt;
    return account;
}

std::string assertion_input(const ServiceAccount& account, std::int64_t now_unix) {
    std::string header = R"({"alg":"RS256","typ":"JWT")";
    if (!account.private_key_id.empty()) {
        header.append(",");
        append_member("kid", account.private_key_id, header);
    }
    header.append("}");
    std::string claims = "{";
    append_member("iss", account.client_email, claims);
    claims.append(",");
    append_member("scope", scope, claims);
    claims.append(",");
    append_member("aud", account.token_uri, claims);
    claims.append(",\"iat\":");
    append_number(now_unix, claims);
    claims.append(",\"exp\":");
    append_number(now_unix + lifetime_seconds, claims);
    claims.append("}");
    return base64url(header) + "." + base64url(claims);
}

std::string sign_assertion(const ServiceAccount& account, std::int64_t now_unix) {
    const auto input = assertion_input(account, now_unix);
    return input + "." + base64url(sign_sha256(*account.private_key, input));
}

}  // namespace fanfare::fcm
