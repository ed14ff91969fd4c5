#pragma once

#include "core/handle/handle.hpp"
#include "sim/http/text.hpp"
#include "sim/webhooks/event.hpp"
#include "sim/webhooks/signing.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <boost/json/parse.hpp>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace fanfare::sim {

inline std::string read_vector(const std::string& name) {
    std::ifstream file{std::string{FANFARE_SOURCE_DIR} + "/tests/fixtures/vectors/" + name,
                       std::ios::binary};
    EXPECT_TRUE(file.good()) << name;
    return {std::istreambuf_iterator<char>{file}, {}};
}

inline boost::json::value vector_of(std::string_view name) {
    return boost::json::parse(read_vector("vectors.json")).at(name);
}

inline std::string text_at(const boost::json::value& value, std::string_view name) {
    return std::string{std::string_view{value.at(name).as_string()}};
}

inline std::string decoded_base64(std::string_view text) {
    std::string out(text.size() / 4 * 3, '\0');
    const auto size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()));
    EXPECT_GE(size, 0);
    const auto padding = text.ends_with("==") ? 2U : text.ends_with('=') ? 1U : 0U;
    out.resize(out.size() - padding);
    return out;
}

/// A public key from base64 of its DER form.
inline KeyPair public_key_of(std::string_view base64_der) {
    const auto der = decoded_base64(base64_der);
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    return {d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())), EVP_PKEY_free};
}

/// The key that a PEM certificate is about.
inline KeyPair key_of_certificate(const std::string& pem) {
    const Handle<BIO, BIO_free> bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    const Handle<X509, X509_free> certificate{
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
    return {X509_get_pubkey(certificate.get()), EVP_PKEY_free};
}

inline bool verifies(const KeyPair& key, const char* digest_name, std::string_view signature,
                     std::string_view text) {
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
    EVP_DigestVerifyInit(context.get(), nullptr, EVP_get_digestbyname(digest_name), nullptr,
                         key.get());
    return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                            signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                            text.size()) == 1;
}

/// "" when absent.
inline std::string header_of(const HttpRequest& request, std::string_view name) {
    for (const auto& line : request.headers) {
        if (line.starts_with(name) && line.substr(name.size(), 2) == ": ") {
            return line.substr(name.size() + 2);
        }
    }
    return {};
}

/// The string fields of a JSON object.
struct TextFields {
    explicit TextFields(const std::string& json) : value(boost::json::parse(json)) {
        for (const auto& [name, field] : value.as_object()) {
            if (field.is_string()) fields.push_back({name, field.get_string()});
        }
    }
    boost::json::value value;
    std::vector<Field> fields;
};

}  // namespace fanfare::sim
