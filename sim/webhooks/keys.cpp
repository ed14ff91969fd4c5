#include "sim/webhooks/keys.hpp"

#include "core/handle/handle.hpp"
#include "sim/http/text.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <stdexcept>

namespace fanfare::sim {

namespace {

using X509Certificate = Handle<X509, X509_free>;
using Bio = Handle<BIO, BIO_free>;

constexpr long valid_s = 10L * 365 * 24 * 3600;  // Back and forth: tests have times of their own.

void must(bool done, const char* what) {
    if (!done) throw std::runtime_error{std::string{"could not make webhook keys: "} + what};
}

KeyPair owned(EVP_PKEY* key) {
    must(key != nullptr, "key");
    return {key, EVP_PKEY_free};
}

std::string sign_certificate(const KeyPair& key) {
    const X509Certificate certificate{X509_new()};
    must(certificate != nullptr, "memory");
    auto* const raw = certificate.get();
    X509_set_version(raw, X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(raw), 1);
    X509_gmtime_adj(X509_getm_notBefore(raw), -valid_s);
    X509_gmtime_adj(X509_getm_notAfter(raw), valid_s);
    X509_set_pubkey(raw, key.get());
    auto* const name = X509_get_subject_name(raw);
    const auto add = [name](const char* field, const std::string& value) {
        X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(value.c_str()), -1, -1,
                                   0);
    };
    add("O", "fanfare-sim, test only");
    add("CN", "sns.amazonaws.com");
    X509_set_issuer_name(raw, name);
    must(X509_sign(raw, key.get(), EVP_sha256()) > 0, "signature");
    const Bio bio{BIO_new(BIO_s_mem())};
    must(PEM_write_bio_X509(bio.get(), raw) == 1, "PEM");
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

}  // namespace

void make_key_pairs(Keys& keys) {
    keys.sendgrid = owned(EVP_EC_gen("P-256"));
    keys.sns = owned(EVP_RSA_gen(2048));
    keys.sns_certificate_pem = sign_certificate(keys.sns);
}

std::string sendgrid_public_key(const Keys& keys) {
    unsigned char* der = nullptr;
    const auto size = i2d_PUBKEY(keys.sendgrid.get(), &der);
    must(size > 0, "public key");
    const std::string_view bytes{reinterpret_cast<const char*>(der),
                                 static_cast<std::size_t>(size)};
    auto text = base64(bytes);
    OPENSSL_free(der);
    return text;
}

}  // namespace fanfare::sim
