#include "core/providers/vonage/signature.hpp"

#include "core/crypto/digest.hpp"

#include <algorithm>
#include <array>

namespace fanfare::vonage {
namespace {

constexpr std::array<std::string_view, 5> method_words{"md5hash", "md5", "sha1", "sha256",
                                                       "sha512"};

Digest digest_for(SignatureMethod method) noexcept {
    switch (method) {
        case SignatureMethod::md5hash:
        case SignatureMethod::md5:
            return Digest::md5;
        case SignatureMethod::sha1:
            return Digest::sha1;
        case SignatureMethod::sha256:
            return Digest::sha256;
        case SignatureMethod::sha512:
            return Digest::sha512;
    }
    return Digest::sha512;
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
    const auto digest = digest_for(method);
    if (method != SignatureMethod::md5hash) return hex(compute_hmac(digest, secret, text));
    return hex(compute_digest(digest, text.append(secret)));
}

}  // namespace fanfare::vonage
