#include "worker/providers/fcm/service_account.hpp"

#include "core/error/failure.hpp"
#include "worker/providers/classification.hpp"
#include "worker/providers/encoding.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace fanfare::fcm {
namespace {

using Bio = Handle<BIO, BIO_free_all>;
using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

constexpr std::string_view scope = "https://www.googleapis.com/auth/firebase.messaging";
constexpr std::string_view google_token_uri = "https://oauth2.googleapis.com/token";
constexpr std::int64_t lifetime_seconds = 3600;

/// OpenSSL would ask at the terminal for the pass phrase of an encrypted key.
int no_pass_phrase(char*, int, int, void*) { return -1; }

PrivateKey parse_private_key(std::string_view pem) {
    const Bio source{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    if (!source) return nullptr;
    PrivateKey key{PEM_read_bio_PrivateKey(source.get(), nullptr, no_pass_phrase, nullptr)};
    // The queue of errors belongs to the thread; what is left in it would confuse the next caller.
    ERR_clear_error();
    if (key && EVP_PKEY_is_a(key.get(), "RSA") != 1) return nullptr;
    return key;
}

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
    account.private_key = parse_private_key(string_at(object, "private_key"));
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
    const auto* const bytes = reinterpret_cast<const unsigned char*>(input.data());
    const DigestContext context{EVP_MD_CTX_new()};
    std::size_t length = 0;
    bool done = context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr,
                                              account.private_key.get()) == 1;
    done = done && EVP_DigestSign(context.get(), nullptr, &length, bytes, input.size()) == 1;
    std::string signature(length, '\0');
    done = done && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()),
                                  &length, bytes, input.size()) == 1;
    ensure(done, "an RSA key that was parsed can sign");
    signature.resize(length);
    return input + "." + base64url(signature);
}

}  // namespace fanfare::fcm
