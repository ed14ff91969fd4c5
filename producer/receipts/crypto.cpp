#include "producer/receipts/crypto.hpp"

#include "core/crypto/method.hpp"
#include "core/handle/handle.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

namespace fanfare::receipts {
namespace {

using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using MdContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using Bio = Handle<BIO, BIO_free>;
using X509Certificate = Handle<X509, X509_free>;

const unsigned char* raw(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

bool verify(EVP_PKEY* key, Digest digest, std::string_view bytes, std::string_view signature) {
    const MdContext context{EVP_MD_CTX_new()};
    const bool good =
        context != nullptr &&
        EVP_DigestVerifyInit(context.get(), nullptr, find_method(digest), nullptr, key) == 1 &&
        EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(bytes),
                         bytes.size()) == 1;
    ERR_clear_error();
    return good;
}

Key ec_key(std::string_view der) {
    const auto* at = raw(der);
    Key key{d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size()))};
    ERR_clear_error();
    if (key && (EVP_PKEY_base_id(key.get()) != EVP_PKEY_EC || at != raw(der) + der.size())) {
        key.reset();
    }
    return key;
}

X509Certificate read_certificate(std::string_view pem) {
    constexpr std::size_t pem_bytes_max = 64 * 1024;
    if (pem.size() > pem_bytes_max) return nullptr;
    const Bio source{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    X509Certificate certificate{PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr)};
    ERR_clear_error();
    return certificate;
}

}  // namespace

bool is_ec_public_key(std::string_view key) { return ec_key(key) != nullptr; }

bool verify_ecdsa(std::string_view key, std::string_view bytes, std::string_view signature) {
    const auto parsed = ec_key(key);
    return parsed && verify(parsed.get(), Digest::sha256, bytes, signature);
}

bool is_certificate_for(std::string_view certificate, std::span<const std::string> hosts,
                        std::int64_t now_unix) {
    const auto parsed = read_certificate(certificate);
    if (!parsed) return false;
    auto now = static_cast<std::time_t>(now_unix);
    const bool in_force = X509_cmp_time(X509_get0_notBefore(parsed.get()), &now) < 0 &&
                          X509_cmp_time(X509_get0_notAfter(parsed.get()), &now) > 0;
    const bool is_theirs = std::any_of(hosts.begin(), hosts.end(), [&parsed](const auto& host) {
        return X509_check_host(parsed.get(), host.data(), host.size(), X509_CHECK_FLAG_NO_WILDCARDS,
                               nullptr) == 1;
    });
    ERR_clear_error();
    return in_force && is_theirs;
}

bool verify_rsa(std::string_view certificate, Digest digest, std::string_view bytes,
                std::string_view signature) {
    const auto parsed = read_certificate(certificate);
    if (!parsed) return false;
    auto* const key = X509_get0_pubkey(parsed.get());
    return key != nullptr && EVP_PKEY_base_id(key) == EVP_PKEY_RSA &&
           verify(key, digest, bytes, signature);
}

}  // namespace fanfare::receipts
