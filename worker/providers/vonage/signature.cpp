#include "worker/providers/vonage/signature.hpp"

#include "core/error/failure.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

namespace fanfare::vonage {
namespace {

constexpr std::array<std::string_view, 5> method_words{"md5hash", "md5", "sha1", "sha256",
                                                       "sha512"};

const EVP_MD* digest_of(SignatureMethod method) noexcept {
    switch (method) {
        case SignatureMethod::md5hash:
        case SignatureMethod::md5:
            return EVP_md5();
        case SignatureMethod::sha1:
            return EVP_sha1();
        case SignatureMethod::sha256:
            return EVP_sha256();
        case SignatureMethod::sha512:
            return EVP_sha512();
    }
    return nullptr;
}

}  // namespace

std::optional<SignatureMethod> parse_signature_method(std::string_view word) noexcept {
    const auto* const found = std::find(method_words.begin(), method_words.end(), word);
    if (found == method_words.end()) return std::nullopt;
    return static_cast<SignatureMethod>(found - method_words.begin());
}

std::string sign_parameters(std::span<const Parameter> parameters, std::string_view secret,
                            SignatureMethod method) {
    std::string text;
    for (const auto& [name, value] : parameters) {
        text.append("&").append(name).append("=");
        const auto begin = static_cast<std::ptrdiff_t>(text.size());
        text.append(value);
        std::replace_if(
            text.begin() + begin, text.end(), [](char c) { return c == '&' || c == '='; }, '_');
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> made{};
    unsigned int length = 0;
    const auto* const digest = digest_of(method);
    bool done = false;
    if (method == SignatureMethod::md5hash) {
        text.append(secret);
        done = EVP_Digest(text.data(), text.size(), made.data(), &length, digest, nullptr) == 1;
    } else {
        done = HMAC(digest, secret.data(), static_cast<int>(secret.size()),
                    reinterpret_cast<const unsigned char*>(text.data()), text.size(), made.data(),
                    &length) != nullptr;
    }
    ensure(done, "OpenSSL knows the methods of Vonage");
    std::string hex;
    for (unsigned int i = 0; i < length; ++i) {
        hex.push_back("0123456789abcdef"[made[i] >> 4U]);
        hex.push_back("0123456789abcdef"[made[i] & 15U]);
    }
    return hex;
}

}  // namespace fanfare::vonage
