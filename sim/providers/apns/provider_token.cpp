#include "sim/providers/apns/provider_token.hpp"

#include "core/handle/handle.hpp"
#include "sim/http/text.hpp"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <boost/json/parse.hpp>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

constexpr std::int64_t life_max_s = 3'600;
constexpr std::int64_t clock_error_max_s = 300;
constexpr std::size_t signature_bytes = 64;
constexpr std::size_t id_characters = 10;

json::object parse_part(std::string_view part) {
    const auto text = decode_base64url(part);
    if (!text) return {};
    boost::system::error_code error;
    auto parsed = json::parse(*text, error);
    return error || !parsed.is_object() ? json::object{} : parsed.get_object();
}

std::string_view get_text(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string_view{value->get_string()}
                                                  : std::string_view{};
}

/// OpenSSL wants DER; the token has r and s, 32 bytes each.
bool is_signed(std::string_view text, std::string_view raw, std::string_view pem) {
    const Handle<BIO, BIO_free> bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    const Handle<EVP_PKEY, EVP_PKEY_free> key{
        PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr)};
    const Handle<ECDSA_SIG, ECDSA_SIG_free> signature{ECDSA_SIG_new()};
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
    if (!key || !signature || !context) return false;
    const auto* const bytes = reinterpret_cast<const unsigned char*>(raw.data());
    constexpr int half = signature_bytes / 2;
    ECDSA_SIG_set0(signature.get(), BN_bin2bn(bytes, half, nullptr),
                   BN_bin2bn(bytes + half, half, nullptr));
    unsigned char* der = nullptr;
    const int length = i2d_ECDSA_SIG(signature.get(), &der);
    const bool good =
        length > 0 &&
        EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
        EVP_DigestVerify(context.get(), der, static_cast<std::size_t>(length),
                         reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
    OPENSSL_free(der);
    return good;
}

}  // namespace

std::string_view check_provider_token(std::string_view authorization,
                                      std::string_view public_key_pem, std::int64_t now_s) {
    constexpr std::string_view scheme = "bearer ";
    if (authorization.size() <= scheme.size() ||
        !equal_ignoring_case(authorization.substr(0, scheme.size()), scheme)) {
        return "MissingProviderToken";
    }
    const auto token = authorization.substr(scheme.size());
    const auto first = token.find('.');
    const auto last = token.rfind('.');
    if (first == token.npos || last == first) return "InvalidProviderToken";
    const auto header = parse_part(token.substr(0, first));
    const auto claims = parse_part(token.substr(first + 1, last - first - 1));
    const auto* issued = claims.if_contains("iat");
    const auto signature = decode_base64url(token.substr(last + 1));
    if (get_text(header, "alg") != "ES256" || get_text(header, "kid").size() != id_characters ||
        get_text(claims, "iss").size() != id_characters || issued == nullptr ||
        !issued->is_int64() || !signature || signature->size() != signature_bytes) {
        return "InvalidProviderToken";
    }
    if (!public_key_pem.empty() && !is_signed(token.substr(0, last), *signature, public_key_pem)) {
        return "InvalidProviderToken";
    }
    if (issued->get_int64() > now_s + clock_error_max_s) return "InvalidProviderToken";
    return issued->get_int64() <= now_s - life_max_s ? "ExpiredProviderToken" : "";
}

}  // namespace fanfare::sim
