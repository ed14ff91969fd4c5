#include "sim/providers/vonage/access.hpp"

#include "core/handle/handle.hpp"
#include "sim/http/text.hpp"
#include "sim/webhooks/signing.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <charconv>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

constexpr std::int64_t clock_error_max_s = 300;
constexpr std::int64_t token_life_max_s = 24 * 3'600;

std::string_view get_value(const std::vector<Field>& fields, std::string_view name) {
    const auto* field = find_field(fields, name);
    return field == nullptr ? std::string_view{} : field->value;
}

std::int64_t get_number(const json::object& claims, std::string_view name) {
    const auto* value = claims.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

json::object parse_part(std::string_view part) {
    const auto text = decode_base64url(part);
    if (!text) return {};
    boost::system::error_code error;
    auto parsed = json::parse(*text, error);
    return error || !parsed.is_object() ? json::object{} : parsed.get_object();
}

bool is_signed(std::string_view text, std::string_view signature, std::string_view pem) {
    const Handle<BIO, BIO_free> bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    const Handle<EVP_PKEY, EVP_PKEY_free> key{
        PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr)};
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
    return key != nullptr && context != nullptr &&
           EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
           EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                            signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                            text.size()) == 1;
}

}  // namespace

VonageAccess::VonageAccess(const ProviderOptions& options)
    : key_{options.vonage_key},
      secret_{options.vonage_secret},
      signature_secret_{options.vonage_signature_secret},
      public_key_{options.vonage_public_key},
      basic_{"Basic " + base64(key_ + ":" + secret_)} {}

int VonageAccess::check_form(const std::vector<Field>& fields, std::int64_t now_s) const {
    const auto* secret = find_field(fields, "api_secret");
    const auto* signature = find_field(fields, "sig");
    if (secret != nullptr && signature != nullptr) return 32;
    if (find_field(fields, "api_key") == nullptr) return 2;
    if (secret == nullptr && signature == nullptr) return 2;
    if (get_value(fields, "api_key") != key_) return 4;
    if (secret != nullptr) return secret->value == secret_ ? 0 : 4;

    const auto told = get_value(fields, "timestamp");
    std::int64_t timestamp = 0;
    const auto [end, error] = std::from_chars(told.data(), told.data() + told.size(), timestamp);
    const bool is_number = error == std::errc{} && end == told.data() + told.size();
    if (!is_number || timestamp < now_s - clock_error_max_s ||
        timestamp > now_s + clock_error_max_s) {
        return 14;
    }
    std::vector<Field> covered;
    for (const auto& field : fields) {
        if (field.name != "sig") covered.push_back(field);
    }
    for (const std::string_view method : {"md5hash", "md5", "sha1", "sha256", "sha512"}) {
        const auto expected = vonage_signature(method, signature_secret_, covered);
        if (equal_ignoring_case(signature->value, expected)) return 0;
    }
    return 14;
}

bool VonageAccess::is_account(const Request& request) const {
    return request.header("authorization") == basic_;
}

bool VonageAccess::allows(const Request& request, std::int64_t now_s) const {
    const auto value = request.header("authorization");
    if (is_account(request)) return true;
    constexpr std::string_view scheme = "Bearer ";
    return value.starts_with(scheme) && is_good_token(value.substr(scheme.size()), now_s);
}

bool VonageAccess::is_good_token(std::string_view token, std::int64_t now_s) const {
    const auto first = token.find('.');
    const auto last = token.rfind('.');
    if (first == token.npos || last == first) return false;
    const auto header = parse_part(token.substr(0, first));
    const auto claims = parse_part(token.substr(first + 1, last - first - 1));
    const auto* algorithm = header.if_contains("alg");
    if (algorithm == nullptr || *algorithm != "RS256") return false;
    for (const auto* const name : {"application_id", "jti"}) {
        const auto* claim = claims.if_contains(name);
        if (claim == nullptr || !claim->is_string() || claim->get_string().empty()) return false;
    }
    const auto issued = get_number(claims, "iat");
    const auto ends = get_number(claims, "exp");
    if (issued <= 0 || issued > now_s + clock_error_max_s || ends <= now_s ||
        ends - issued > token_life_max_s) {
        return false;
    }
    const auto signature = decode_base64url(token.substr(last + 1));
    if (!signature || signature->empty()) return false;
    return public_key_.empty() || is_signed(token.substr(0, last), *signature, public_key_);
}

}  // namespace fanfare::sim
