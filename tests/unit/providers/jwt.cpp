#include "tests/unit/providers/jwt.hpp"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <boost/json/parse.hpp>

#include <fstream>
#include <iterator>

namespace fanfare::testing {
namespace {

/// DER of a signature of 64 bytes.
std::string to_der(const std::string& raw) {
    const auto* const bytes = reinterpret_cast<const unsigned char*>(raw.data());
    ECDSA_SIG* const signature = ECDSA_SIG_new();
    ECDSA_SIG_set0(signature, BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
    unsigned char* made = nullptr;
    const int length = i2d_ECDSA_SIG(signature, &made);
    std::string der(reinterpret_cast<char*>(made), static_cast<std::size_t>(length));
    OPENSSL_free(made);
    ECDSA_SIG_free(signature);
    return der;
}

}  // namespace

std::string vector_file(const std::string& name) {
    std::ifstream in{FANFARE_SOURCE_DIR "/tests/fixtures/vectors/" + name};
    return {std::istreambuf_iterator<char>{in}, {}};
}

boost::json::object vectors() {
    return boost::json::parse(vector_file("vectors.json")).as_object();
}

std::string from_base64url(std::string text) {
    for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
    const auto length = text.size() * 3 / 4;
    while (text.size() % 4 != 0) text.push_back('=');
    std::string out(text.size(), '\0');
    EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                    reinterpret_cast<const unsigned char*>(text.data()),
                    static_cast<int>(text.size()));
    out.resize(length);
    return out;
}

boost::json::object claims_of(const std::string& jwt) {
    const auto first = jwt.find('.');
    return boost::json::parse(from_base64url(jwt.substr(first + 1, jwt.rfind('.') - first - 1)))
        .as_object();
}

bool is_signed(const std::string& jwt, const std::string& public_pem) {
    BIO* const memory = BIO_new_mem_buf(public_pem.data(), static_cast<int>(public_pem.size()));
    EVP_PKEY* const key = PEM_read_bio_PUBKEY(memory, nullptr, nullptr, nullptr);
    BIO_free(memory);
    const auto dot = jwt.rfind('.');
    auto signature = from_base64url(jwt.substr(dot + 1));
    const bool is_curve = EVP_PKEY_is_a(key, "EC") == 1;
    if (is_curve && signature.size() == 64) signature = to_der(signature);
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    const bool good =
        EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key) == 1 &&
        EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()),
                         signature.size(), reinterpret_cast<const unsigned char*>(jwt.data()),
                         dot) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return good;
}

}  // namespace fanfare::testing
