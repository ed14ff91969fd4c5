#include "core/providers/apns/es256.hpp"

#include "core/crypto/digest.hpp"
#include "core/error/failure.hpp"
#include "core/providers/encoding.hpp"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include <array>

namespace fanfare::apns {
namespace {

using Signature = Handle<ECDSA_SIG, ECDSA_SIG_free>;

constexpr int number_size = es256_signature_size / 2;

}  // namespace

PrivateKey parse_es256_key(std::string_view pem) {
    auto key = parse_private_key(pem, "EC");
    if (!key) return nullptr;
    std::array<char, 64> curve{};
    std::size_t length = 0;
    const bool is_named =
        EVP_PKEY_get_group_name(key.get(), curve.data(), curve.size(), &length) == 1;
    ERR_clear_error();
    if (!is_named || std::string_view{curve.data(), length} != "prime256v1") return nullptr;
    return key;
}

std::optional<std::string> raw_signature(std::string_view der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const auto* const end = at + der.size();
    const Signature signature{d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()))};
    ERR_clear_error();
    if (!signature || at != end) return std::nullopt;
    std::string raw(es256_signature_size, '\0');
    auto* const out = reinterpret_cast<unsigned char*>(raw.data());
    // Pads on the left; refuses what is longer than 32 bytes.
    if (BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, number_size) != number_size ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + number_size, number_size) !=
            number_size) {
        ERR_clear_error();
        return std::nullopt;
    }
    return raw;
}

std::string sign_es256(EVP_PKEY& key, std::string_view input) {
    const auto raw = raw_signature(sign_sha256(key, input));
    ensure(raw.has_value(), "a P-256 key signs with two numbers of 32 bytes");
    return std::string{input} + "." + base64url(*raw);
}

}  // namespace fanfare::apns
