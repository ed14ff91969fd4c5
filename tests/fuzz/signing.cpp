#include "tests/fuzz/signing.hpp"

#include "core/crypto/method.hpp"
#include "core/error/failure.hpp"
#include "core/handle/handle.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

namespace fanfare::fuzzing {
namespace {

using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using MdContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using Bio = Handle<BIO, BIO_free>;
using X509Certificate = Handle<X509, X509_free>;

EVP_PKEY* curve_key() {
    static const Key key{EVP_EC_gen("P-256")};
    return key.get();
}

/// Short: it is to be quick, and protects nothing.
EVP_PKEY* rsa_key() {
    static const Key key{EVP_RSA_gen(1024)};
    return key.get();
}

std::string sign(EVP_PKEY* key, Digest digest, std::string_view bytes) {
    const MdContext context{EVP_MD_CTX_new()};
    std::string signature(static_cast<std::size_t>(EVP_PKEY_size(key)), '\0');
    auto size = signature.size();
    const bool good =
        EVP_DigestSignInit(context.get(), nullptr, find_method(digest), nullptr, key) == 1 &&
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) == 1;
    ensure(good, "a key signs");
    signature.resize(size);
    return signature;
}

std::string make_curve_public_key() {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(curve_key(), &der);
    ensure(size > 0, "a key has a form");
    const std::string bytes{reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
    OPENSSL_free(der);
    return base64(bytes);
}

std::string make_sns_certificate() {
    constexpr long hour = 3'600;
    const X509Certificate made{X509_new()};
    X509_set_version(made.get(), 2);
    ASN1_TIME_set(X509_getm_notBefore(made.get()), delivery_time - hour);
    ASN1_TIME_set(X509_getm_notAfter(made.get()), delivery_time + hour);
    X509_set_pubkey(made.get(), rsa_key());
    auto* const subject = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>("sns.amazonaws.com"), -1, -1,
                               0);
    X509_set_issuer_name(made.get(), subject);
    X509_sign(made.get(), rsa_key(), EVP_sha256());
    const Bio out{BIO_new(BIO_s_mem())};
    PEM_write_bio_X509(out.get(), made.get());
    char* data = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

}  // namespace

const std::string& curve_public_key() {
    static const auto key = make_curve_public_key();
    return key;
}

std::string sign_on_curve(std::string_view bytes) {
    return sign(curve_key(), Digest::sha256, bytes);
}

const std::string& sns_certificate() {
    static const auto certificate = make_sns_certificate();
    return certificate;
}

std::string sign_as_sns(Digest digest, std::string_view bytes) {
    return sign(rsa_key(), digest, bytes);
}

}  // namespace fanfare::fuzzing
