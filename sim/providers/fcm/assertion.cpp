#include "sim/providers/fcm/assertion.hpp"

#include "core/handle/handle.hpp"
#include "sim/http/text.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <boost/json/parse.hpp>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

constexpr std::int64_t lifetime_max_s = 3'600;
constexpr std::int64_t clock_error_max_s = 300;

json::object parse_part(std::string_view part) {
    const auto text = decode_base64url(part);
    if (!text) return {};
    boost::system::error_code error;
    auto parsed = json::parse(*text, error);
    return error || !parsed.is_object() ? json::object{} : parsed.get_object();
}

std::string get_text(const json::object& claims, std::string_view name) {
    const auto* value = claims.if_contains(name);
    return value != nullptr && value->is_string() ? std::string{value->get_string()} : "";
}

std::int64_t get_number(const json::object& claims, std::string_view name) {
    const auto* value = claims.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

bool has_good_signature(std::string_view signed_part, std::string_view signature,
                        std::string_view pem) {
    const Handle<BIO, BIO_free> bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    const Handle<EVP_PKEY, EVP_PKEY_free> key{
        PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr)};
    const auto bytes = decode_base64url(signature);
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
    return key != nullptr && bytes && context != nullptr &&
           EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
           EVP_DigestVerify(
               context.get(), reinterpret_cast<const unsigned char*>(bytes->data()), bytes->size(),
               reinterpret_cast<const unsigned char*>(signed_part.data()), signed_part.size()) == 1;
}

bool names_messaging(std::string_view scope) {
    return scope.find("https://www.googleapis.com/auth/firebase.messaging") != scope.npos ||
           scope.find("https://www.googleapis.com/auth/cloud-platform") != scope.npos;
}

std::string check_claims(const json::object& claims, std::int64_t now_s) {
    if (get_text(claims, "iss").empty()) return "Invalid JWT: iss is missing.";
    if (!names_messaging(get_text(claims, "scope"))) {
        return "Invalid OAuth scope or ID token audience provided.";
    }
    // The audience is this endpoint under whatever name the client has for it.
    if (!get_text(claims, "aud").ends_with("/token")) return "Invalid JWT: Failed audience check.";
    const auto issued = get_number(claims, "iat");
    const auto ends = get_number(claims, "exp");
    const bool good = issued > 0 && ends > issued && ends - issued <= lifetime_max_s &&
                      issued <= now_s + clock_error_max_s && ends > now_s - clock_error_max_s;
    return good ? ""
                : "Invalid JWT: Token must be a short-lived token (60 minutes) and in a "
                  "reasonable timeframe. Check your iat and exp values in the JWT claim.";
}

}  // namespace

std::string check_assertion(std::string_view jwt, std::string_view public_key_pem,
                            std::int64_t now_s) {
    const auto first = jwt.find('.');
    const auto last = jwt.rfind('.');
    if (first == jwt.npos || last == first) return "Bad Request";
    const auto header = parse_part(jwt.substr(0, first));
    const auto claims = parse_part(jwt.substr(first + 1, last - first - 1));
    if (get_text(header, "alg") != "RS256" || last + 1 == jwt.size()) {
        return "Invalid JWT Signature.";
    }
    auto problem = check_claims(claims, now_s);
    if (!problem.empty()) return problem;
    if (!public_key_pem.empty() &&
        !has_good_signature(jwt.substr(0, last), jwt.substr(last + 1), public_key_pem)) {
        return "Invalid JWT Signature.";
    }
    return "";
}

}  // namespace fanfare::sim
