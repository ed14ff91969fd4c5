#include "sim/certificate.hpp"

#include "core/handle/handle.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace fanfare::sim {

namespace {

using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using X509Certificate = Handle<X509, X509_free>;
using Bio = Handle<BIO, BIO_free>;

constexpr long valid_s = 30L * 24 * 3600;

void must(bool done, const char* what) {
    if (!done) throw std::runtime_error{std::string{"could not make a certificate: "} + what};
}

Key new_key() {
    Key key{EVP_EC_gen("P-256")};
    must(key != nullptr, "key");
    return key;
}

void add_extension(X509* certificate, X509* issuer, int kind, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const Handle<X509_EXTENSION, X509_EXTENSION_free> extension{
        X509V3_EXT_conf_nid(nullptr, &context, kind, value)};
    must(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, "extension");
}

X509Certificate new_certificate(EVP_PKEY* key, const char* name) {
    X509Certificate certificate{X509_new()};
    must(certificate != nullptr, "memory");
    X509_set_version(certificate.get(), X509_VERSION_3);
    std::uint64_t serial = 0;
    must(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "serial");
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), valid_s);
    X509_set_pubkey(certificate.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    return certificate;
}

std::string read_text(BIO* bio) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string to_pem(X509* certificate) {
    const Bio bio{BIO_new(BIO_s_mem())};
    must(PEM_write_bio_X509(bio.get(), certificate) == 1, "PEM");
    return read_text(bio.get());
}

}  // namespace

Certificate make_certificate(const std::string& name) {
    const auto authority_key = new_key();
    const auto authority = new_certificate(authority_key.get(), "fanfare-sim throw-away authority");
    X509_set_issuer_name(authority.get(), X509_get_subject_name(authority.get()));
    add_extension(authority.get(), authority.get(), NID_basic_constraints, "critical,CA:TRUE");
    add_extension(authority.get(), authority.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(authority.get(), authority.get(), NID_subject_key_identifier, "hash");
    must(X509_sign(authority.get(), authority_key.get(), EVP_sha256()) > 0, "signature");

    const auto key = new_key();
    const auto server = new_certificate(key.get(), "localhost");
    X509_set_issuer_name(server.get(), X509_get_subject_name(authority.get()));
    add_extension(server.get(), authority.get(), NID_basic_constraints, "critical,CA:FALSE");
    add_extension(server.get(), authority.get(), NID_key_usage, "critical,digitalSignature");
    add_extension(server.get(), authority.get(), NID_ext_key_usage, "serverAuth");
    const auto names =
        std::string{"DNS:localhost,IP:127.0.0.1"} + (name.empty() ? "" : ",DNS:" + name);
    add_extension(server.get(), authority.get(), NID_subject_alt_name, names.c_str());
    add_extension(server.get(), authority.get(), NID_authority_key_identifier, "keyid:always");
    must(X509_sign(server.get(), authority_key.get(), EVP_sha256()) > 0, "signature");

    const Bio bio{BIO_new(BIO_s_mem())};
    must(PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
         "PEM of the key");
    return {to_pem(authority.get()), to_pem(server.get()), read_text(bio.get())};
}

}  // namespace fanfare::sim
